import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MillraceClient } from "millrace-client";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { expectGolden, goldenCases, postJson, rowsOf } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("synchronous");

const ROWS = [[5.1, 3.5, 1.4, 0.2]];
const [GOLDEN] = goldenCases("iris_svc.onnx");

/** More than any machine reads, parses and predicts in a millisecond. */
const MANY_ROWS = Array<readonly number[]>(50_000).fill([5.1, 3.5, 1.4, 0.2]);

describe("synchronous", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;
  let client: MillraceClient;

  beforeAll(async () => {
    example = await copyExample("synchronous");
    millrace = await MillraceProcess.start(["up", example.path]);
    client = new MillraceClient({ url: millrace.url, timeoutMs: 10_000 });
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  it("answers the same numbers when asked by /predict, /v2, /v1, /invocations and the client", async () => {
    const { url } = millrace;
    const instances = { instances: ROWS };
    const input = { name: "float_input", shape: [1, 4], data: Float32Array.from(ROWS.flat()) };
    const predict = await postJson<{ prediction: number[] }>(`${url}/predict`, { data: ROWS });
    const oip = await postJson<{ outputs: { data: number[] }[] }>(`${url}/v2/models/iris/infer`, {
      inputs: [{ ...input, datatype: "FP32", data: ROWS }],
      outputs: [{ name: "probabilities" }],
    });
    type Predictions = { predictions: number[][] };
    const v1 = await postJson<Predictions>(`${url}/v1/models/iris:predict`, instances);
    const mlflow = await postJson<Predictions>(`${url}/invocations`, instances);
    const { prediction } = await client.predict<number[]>("iris", ROWS);
    const { outputs } = await client.infer("iris", { inputs: [input], outputs: ["probabilities"] });
    const answers = [
      predict.body.prediction,
      oip.body.outputs[0]?.data,
      v1.body.predictions[0],
      mlflow.body.predictions[0],
      prediction,
      [...(outputs[0]?.data ?? [])],
    ];
    for (const answer of answers) {
      expect(answer).toEqual(answers[0]);
      expectGolden([answer], rowsOf(GOLDEN?.outputs["output_probability"]));
    }
  });

  it("/v2 answers 504 with the code in a header when the deadline has passed", async () => {
    const input = { name: "float_input", shape: [1, 4], datatype: "FP32", data: ROWS };
    const reply = await postJson<{ error: string }>(
      `${millrace.url}/v2/models/iris/infer`,
      { inputs: [input] },
      { "x-request-timeout": "0.001ms" },
    );
    expect(reply.status).toBe(504);
    expect(reply.headers.get("x-error-code")).toBe("DEADLINE_EXCEEDED");
    expect(reply.body.error).toMatch(/^Cannot predict: the deadline passed/);
  });

  it("/predict answers in time when the deadline is far", async () => {
    const url = `${millrace.url}/predict`;
    const reply = await postJson(url, { data: ROWS }, { "x-request-timeout": "1m" });
    expect(reply.status).toBe(200);
  });

  it.each(["10", "-1s", "soon", "0s"])(
    "/predict refuses the header when x-request-timeout is %s",
    async (timeout) => {
      const url = `${millrace.url}/predict`;
      const reply = await postJson(url, { data: ROWS }, { "x-request-timeout": timeout });
      expect(reply.status).toBe(400);
      expect(reply.body).toMatchObject({ code: "INVALID_HEADER" });
    },
  );

  it("iris-strict answers 504 when its own timeout is shorter than the caller's", async () => {
    await expect(client.predict("iris-strict", MANY_ROWS)).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      status: 504,
    });
  });

  it("iris answers the same rows when its timeout is longer", async () => {
    const { prediction } = await client.predict<number[][]>("iris", MANY_ROWS);
    expect(prediction).toHaveLength(MANY_ROWS.length);
  });

  it("predict() rejects without a status when the client's own deadline passes first", async () => {
    // A server that never answers: nothing depends on how fast the model is.
    const silent = new MillraceClient({
      url: millrace.url,
      timeoutMs: 1,
      fetch: (_url, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error));
        }),
    });
    const failure: unknown = await silent.predict("iris", ROWS).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "DEADLINE_EXCEEDED", status: undefined });
  });
});
