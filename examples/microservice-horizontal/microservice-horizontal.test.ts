import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { expectGolden, goldenCases, postJson, rowsOf } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("microservice-horizontal");

const SPECIES = ["setosa", "versicolor", "virginica"];

/** `plausible` needs a second for it. */
const SLOW_ROW = [50, 30.1, 111.4, 110.2];
const PLAUSIBLE_ROW = [5.1, 3.5, 1.4, 0.2];

interface Reply {
  readonly [branch: string]: unknown;
}

describe("microservice-horizontal", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("microservice-horizontal");
    millrace = await MillraceProcess.start(["up", example.path]);
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  const ask = (service: string, data: unknown, headers: Readonly<Record<string, string>> = {}) =>
    postJson<Reply>(`${millrace.url}/services/${service}/predict`, { data }, headers);

  it("gives for every species what its model gives alone", async () => {
    for (const species of SPECIES) {
      for (const { inputs, outputs } of goldenCases(`iris_svc_0_${species}.onnx`)) {
        const rows = rowsOf(inputs["float_input"]);
        const { body } = await ask("iris", rows);
        const answered = rows.length === 1 ? [body[species]] : body[species];
        expectGolden(answered, rowsOf(outputs["output_probability"]));
      }
    }
  });

  it("waits for a slow branch as long as timeout says, and names what it left out", async () => {
    const startMs = performance.now();
    const { status, headers, body } = await ask("checked", [SLOW_ROW]);
    const tookMs = performance.now() - startMs;
    expect([status, headers.get("x-degraded")]).toEqual([200, "partial"]);
    expect(headers.get("x-degraded-steps")).toBe("plausible;missing;DEADLINE_EXCEEDED");
    expect(body).toEqual({
      setosa: expect.any(Array),
      versicolor: expect.any(Array),
      plausible: null,
    });
    expect(tookMs).toBeGreaterThan(195); // timers fire up to a millisecond early
    expect(tookMs).toBeLessThan(1000); // what the branch takes
  });

  it("answers other requests in full while a branch is slow for one", async () => {
    const slow = ask("checked", [SLOW_ROW]);
    const { headers, body } = await ask("likeliest", [PLAUSIBLE_ROW]);
    expect(headers.get("x-degraded")).toBeNull();
    expect(body["prediction"]).toBeDefined();
    expect((await slow).headers.get("x-degraded")).toBe("partial");
  });

  it("gives the caller's request id to a branch and back", async () => {
    const { headers } = await ask("checked", [PLAUSIBLE_ROW], { "x-request-id": "order-23" });
    expect(headers.get("x-request-id")).toBe("order-23");
    await millrace.logLine(({ message }) => message === "checks order-23");
  });

  it("says what the branch threw in the log alone", async () => {
    const { body } = await ask("checked", [[5.1, 3.5, 1.4, -1]]);
    expect(JSON.stringify(body)).not.toContain("shorter");
    const line = await millrace.logLine(
      ({ logger, code }) => logger === "graphs" && code === "FUNCTION_FAILED",
    );
    expect(line).toMatchObject({ level: "warn", step: "plausible" });
    expect(JSON.stringify(line)).toContain("a flower cannot be shorter than nothing");
  });

  it("asks the branches over the Open Inference Protocol too", async () => {
    const inputs = [{ name: "float_input", shape: [1, 4], datatype: "FP32", data: PLAUSIBLE_ROW }];
    const { body } = await postJson<{ outputs: readonly { name: string }[] }>(
      `${millrace.url}/v2/models/checked/infer`,
      { inputs },
    );
    expect(body.outputs.map(({ name }) => name)).toEqual(["setosa", "versicolor", "plausible"]);
  });
});
