import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { expectGolden, goldenCases, postJson, rowsOf } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("web-single");

interface Problem {
  readonly code: string;
  readonly errors: readonly {
    readonly location: readonly (string | number)[];
    readonly message: string;
    readonly type: string;
  }[];
}

describe("web-single", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("web-single");
    millrace = await MillraceProcess.start(["up", example.path]);
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  it("/predict answers as Python does when given the golden rows", async () => {
    for (const { inputs, outputs } of goldenCases("iris_svc.onnx")) {
      const data = rowsOf(inputs["float_input"]);
      const { body } = await postJson<{ prediction: unknown }>(`${millrace.url}/predict`, { data });
      const rows = data.length === 1 ? [body.prediction] : body.prediction;
      expectGolden(rows, rowsOf(outputs["output_probability"]));
    }
  });

  it("/predict/label names the likeliest class of each row when given several rows", async () => {
    const data = goldenCases("iris_svc.onnx").flatMap((one) => rowsOf(one.inputs["float_input"]));
    const { body } = await postJson(`${millrace.url}/predict/label`, { data });
    const one = ["setosa", "virginica", "virginica"];
    expect(body).toEqual({ prediction: [...one, ...one] });
  });

  it.each([
    { what: "text is a number", data: [[5.1, "3.5", 1.4, 0.2]], location: [0, 1], type: "type" },
    { what: "a value is missing", data: [[5.1, 3.5, 1.4]], location: [0], type: "shape" },
    { what: "a row is no list", data: [5.1, 3.5, 1.4, 0.2], location: [], type: "shape" },
  ])("/predict says where the body is wrong when $what", async ({ data, location, type }) => {
    const reply = await postJson<Problem>(`${millrace.url}/predict`, { data });
    expect(reply.status).toBe(400);
    expect(reply.headers.get("content-type")).toBe("application/problem+json");
    expect(reply.headers.get("x-error-code")).toBe(reply.body.code);
    const [first] = reply.body.errors;
    expect(first).toMatchObject({ location: ["body", "data", ...location], type });
    expect(first?.message).not.toBe("");
  });

  it("/predict lists every problem at once when several values are wrong", async () => {
    const data = [
      [5.1, "a", 1.4, 0.2],
      [5.1, 3.5, null, 0.2],
    ];
    const { body } = await postJson<Problem>(`${millrace.url}/predict`, { data });
    expect(body.errors.map((error) => error.location)).toEqual([
      ["body", "data", 0, 1],
      ["body", "data", 1, 2],
    ]);
  });

  it("/metadata says what to send and what comes back when nobody knows the model", async () => {
    const metadata = (await (await fetch(`${millrace.url}/metadata`)).json()) as {
      prediction_sample: unknown;
    };
    expect(metadata).toMatchObject({
      service: "iris",
      model: "iris",
      version: "1",
      data_type: "float32",
      data_structure: "(1,4)",
      data_sample: [[5.1, 3.5, 1.4, 0.2]],
      prediction_type: "float32",
      prediction_structure: "(1,3)",
    });
    const [golden] = goldenCases("iris_svc.onnx");
    expectGolden([metadata.prediction_sample], rowsOf(golden?.outputs["output_probability"]));
  });

  it("/openapi.json shows the sample when a reader opens the API pages", async () => {
    const response = await fetch(`${millrace.url}/openapi.json`);
    expect(JSON.stringify(await response.json())).toContain(
      '"example":{"data":[[5.1,3.5,1.4,0.2]]}',
    );
  });

  it("/docs loads nothing from elsewhere when it is opened", async () => {
    const page = await (await fetch(`${millrace.url}/docs`)).text();
    const paths = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path = ""]) => path);
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) expect((await fetch(`${millrace.url}${path}`)).status).toBe(200);
  });

  it("exits with 0 when it is stopped", async () => {
    expect(await millrace.stop()).toBe(0);
  });
});
