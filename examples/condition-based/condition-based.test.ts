import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { postJson } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("condition-based");

const IRIS = { data: [[5.1, 3.5, 1.4, 0.2]] };

describe("condition-based", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("condition-based");
    millrace = await MillraceProcess.start(["up", example.path]);
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  const modelOf = async (path: string, headers: Record<string, string> = {}): Promise<unknown> => {
    const reply = await postJson(`${millrace.url}${path}`, IRIS, headers);
    return reply.headers.get("x-model") ?? reply.body;
  };

  it("routes by header, by query and by none of them", async () => {
    expect(await modelOf("/predict")).toBe("iris@1");
    expect(await modelOf("/predict", { "X-Customer": "gold-1" })).toBe("forest@1");
    expect(await modelOf("/predict?mode=careful")).toBe("forest@1");
    expect(await modelOf("/predict?mode=quick")).toBe("iris@1");
    expect(await modelOf("/services/guess/predict", { "X-Customer": "gold-1" })).toBe("forest@1");
  });

  it("checks the rows against the model of the route", async () => {
    const { status, body } = await postJson<{ detail: string }>(`${millrace.url}/predict`, IRIS, {
      target: "digit",
    });
    expect(status).toBe(400);
    expect(body.detail).toContain("shape [any, 1, 8, 8]");
  });

  it("sends about half of the requests that take part to the trial", async () => {
    const models = await Promise.all(
      Array.from({ length: 400 }, () => modelOf("/predict", { "x-trial": "yes" })),
    );
    const forest = models.filter((model) => model === "forest@1").length;
    expect(forest).toBeGreaterThan(140); // 6 standard deviations
    expect(forest).toBeLessThan(260);
  });

  it("asks the rules for the Open Inference Protocol too, unless a version is named", async () => {
    const inputs = [
      { name: "float_input", shape: [1, 4], datatype: "FP32", data: IRIS.data.flat() },
    ];
    const infer = async (path: string): Promise<string | null> => {
      const url = `${millrace.url}/v2/models/guess${path}/infer`;
      return (await postJson(url, { inputs }, { "x-customer": "gold-1" })).headers.get("x-model");
    };
    expect([await infer(""), await infer("/versions/1")]).toEqual(["forest@1", "iris@1"]);
  });
});
