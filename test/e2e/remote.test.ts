import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRemote } from "../../packages/millrace/src/adapters/remote-http/remote-http.ts";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import { testContext } from "../../packages/millrace/src/core/graph/test-step.ts";
import type { Tensor, TensorSpec } from "../../packages/millrace/src/core/tensor/tensor.ts";
import type { RemoteOptions, SourceStep } from "../../packages/millrace/src/ports/step-sources.ts";
import { goldenCases } from "../../examples/golden.ts";
import { ask } from "./http-client.ts";
import { eventually, MillraceProcess, ROOT } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { freePort } from "../free-port.ts";
import { fixture, IRIS, SETOSA, Workspace } from "./workspace.ts";

const FLOWER: TensorSpec = { name: "float_input", datatype: "FP32", shape: [-1, 4] };
const LABEL: TensorSpec = { name: "output_label", datatype: "INT64", shape: [-1] };
const PROBABILITY: TensorSpec = { name: "probabilities", datatype: "FP32", shape: [-1, 3] };

const MODELS = `
server: { log: { access: all } }
models:
  iris: { source: iris.onnx, labels: [setosa, versicolor, virginica] }
  int64: identity-int64.onnx
  fp16: identity-fp16.onnx
  fp32: identity-fp32.onnx
  text: identity-bytes.onnx
  multi: ${ROOT}/examples/models/multi_input.onnx
`;

function optionsOf(overrides: Partial<RemoteOptions>): RemoteOptions {
  return {
    urls: [],
    protocol: "oip",
    model: undefined,
    version: undefined,
    inputs: undefined,
    outputs: undefined,
    labels: undefined,
    headers: {},
    timeoutMs: 10_000,
    concurrency: 8,
    replyBytesMax: 16 * 1024 * 1024,
    ejection: undefined,
    hedge: undefined,
    ...overrides,
  };
}

function near(rows: readonly unknown[] | undefined): unknown[] {
  return (rows ?? []).map((value) => expect.closeTo(Number(value), 6) as unknown);
}

describe("a remote step and a real Millrace", () => {
  let folder: Workspace;
  let far: MillraceProcess;
  const opened: SourceStep[] = [];

  beforeAll(async () => {
    folder = new Workspace({ "millrace.yaml": MODELS, "iris.onnx": IRIS });
    for (const name of ["int64", "fp16", "fp32", "bytes"]) {
      folder.put(`identity-${name}.onnx`, fixture(`identity-${name}.onnx`));
    }
    far = await MillraceProcess.start(["serve", folder.path]);
  });
  afterAll(async () => {
    await Promise.all(opened.map((source) => source.close()));
    await far.stop();
    folder[Symbol.dispose]();
  });

  const open = async (overrides: Partial<RemoteOptions>): Promise<SourceStep> => {
    const ignore = (): void => undefined;
    const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const options = optionsOf({ urls: [far.url], ...overrides });
    const source = await openRemote("far", options, {
      clock: systemClock,
      random: Math.random,
      log,
    });
    opened.push(source);
    return source;
  };
  const run = async ({ step }: SourceStep, inputs: readonly Tensor[]): Promise<readonly Tensor[]> =>
    (await step.run(inputs, testContext(systemClock))).outputs;

  const flowers = (rows: readonly (readonly number[])[]): Tensor[] => {
    const data = Float32Array.from(rows.flat());
    return [{ ...FLOWER, shape: [rows.length, 4], data }];
  };
  const [case1] = goldenCases("iris_svc.onnx");
  const golden = case1?.outputs["output_probability"]?.data;

  it("learns what a model takes and gives, and gets what the model gives", async () => {
    const source = await open({ model: "iris" });
    expect(source.step.inputs).toEqual([FLOWER]);
    expect(source.step.outputs).toEqual([LABEL, PROBABILITY]);
    expect(source.step.prediction).toBe(1);
    const [label, probability] = await run(source, flowers(SETOSA));
    expect([...(label?.data ?? [])]).toEqual([0n]);
    expect([...(probability?.data ?? [])]).toEqual(near(golden));
  });

  it.each(["kserve-v1", "tensorflow"] as const)("speaks %s to it", async (protocol) => {
    const source = await open({
      protocol,
      model: "iris",
      inputs: [FLOWER],
      outputs: [PROBABILITY],
    });
    const [probability] = await run(source, flowers([...SETOSA, ...SETOSA]));
    expect(probability?.shape).toEqual([2, 3]);
    expect([...(probability?.data ?? [])]).toEqual(near([...(golden ?? []), ...(golden ?? [])]));
  });

  it("speaks plain JSON to it, for one row and for several", async () => {
    const source = await open({
      urls: [`${far.url}/services/iris/predict`],
      protocol: "json",
      inputs: [FLOWER],
      outputs: [PROBABILITY],
    });
    const [one] = await run(source, flowers(SETOSA));
    expect([one?.shape, ...(one?.data ?? [])]).toEqual([[1, 3], ...near(golden)]);
    const [two] = await run(source, flowers([...SETOSA, ...SETOSA]));
    expect(two?.shape).toEqual([2, 3]);
  });

  it("passes every number on as it is: whole ones of 64 bits, NaN, halves, text", async () => {
    const through = async (model: string, tensor: Omit<Tensor, "name">): Promise<unknown> => {
      const source = await open({ model });
      const [spec] = source.step.inputs;
      const [output] = await run(source, [{ ...tensor, name: spec?.name ?? "" }]);
      return output?.data;
    };
    const whole = BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n);
    expect(await through("int64", { datatype: "INT64", shape: [1, 3], data: whole })).toEqual(
      whole,
    );
    const odd = Float32Array.of(NaN, Infinity, -0);
    expect(await through("fp32", { datatype: "FP32", shape: [1, 3], data: odd })).toEqual(odd);
    const halves = Uint16Array.of(0x3c00, 0x7e00, 1);
    expect(await through("fp16", { datatype: "FP16", shape: [1, 3], data: halves })).toEqual(
      halves,
    );
    const text = ['ü"\n', "", "🙂"];
    expect(await through("text", { datatype: "BYTES", shape: [1, 3], data: text })).toEqual(text);
  });

  it("sends several inputs, by name over OIP and row by row over KServe V1", async () => {
    const [example] = goldenCases("multi_input.onnx");
    const oip = await open({ model: "multi" });
    const inputs = oip.step.inputs.map(({ name, datatype }): Tensor => {
      const { shape = [], data = [] } = example?.inputs[name] ?? {};
      const isText = datatype === "BYTES";
      const elements = isText ? data.map(String) : Float32Array.from(data.map(Number));
      return { name, datatype, shape, data: elements };
    });
    const wanted = near(example?.outputs["output_probability"]?.data);
    const outputs = await run(oip, inputs);
    expect([...(outputs[oip.step.prediction as number]?.data ?? [])]).toEqual(wanted);
    const kserve = await open({
      protocol: "kserve-v1",
      model: "multi",
      inputs: oip.step.inputs,
      outputs: [oip.step.outputs[oip.step.prediction as number] as TensorSpec],
    });
    const [probability] = await run(kserve, inputs);
    expect([...(probability?.data ?? [])]).toEqual(wanted);
  });

  it("is refused a model that is not there", async () => {
    await expect(open({ model: "nobody" })).rejects.toMatchObject({ code: "MODEL_LOAD_FAILED" });
  });

  it("serves it as a service of another Millrace, which passes on the id of the request", async () => {
    using folder = new Workspace({
      "millrace.yaml": `services:\n  flowers: { graph: { remote: "${far.url}", model: iris, labels: [a, b, c] } }\n`,
    });
    await using server = await MillraceProcess.start(["serve", folder.path]);
    const answer = await ask(server.url, "/predict", {
      headers: { "content-type": "application/json", "x-request-id": "from-the-edge" },
      body: { data: SETOSA },
    });
    expect([answer.status, answer.headers["x-request-id"]]).toEqual([200, "from-the-edge"]);
    await far.logLine((line) => line["requestId"] === "from-the-edge");
    const { prediction } = answer.json as { prediction: number[] };
    expect(prediction).toEqual(golden?.map((value) => expect.closeTo(Number(value), 6) as unknown));
    const label = await ask(server.url, "/predict/label", { body: { data: SETOSA } });
    expect(label.json).toEqual({ prediction: "a" });
  });

  it("asks another server when one is gone, leaves that alone, and tells who answered", async () => {
    const gone = `127.0.0.1:${await freePort()}`;
    const near = far.url.replace("http://", "");
    using two = new Workspace({
      "millrace.yaml": `
server: { processes: 1 }
services:
  flowers:
    graph: { remote: ["${far.url}", "http://${gone}"], model: iris }
    parameters: { retries: 1 }
`,
    });
    await using server = await MillraceProcess.start(["up", two.path]);
    const answers = [];
    for (let i = 0; i < 20; i++) {
      answers.push(await ask(server.url, "/predict", { body: { data: SETOSA } }));
    }
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    await server.logLine((line) => line["endpoint"] === gone && line["ejectedMs"] === 30_000);
    const metrics = await readMetrics(server.facts.metrics);
    const of = (name: string, endpoint: string): number =>
      metrics.sum(`remote_endpoint_${name}`, { service: "flowers", endpoint });
    expect([of("ejected", gone), of("ejected", near)]).toEqual([1, 0]);
    expect([of("failures_total", gone), of("calls_total", near)]).toEqual([5, 20]);
    expect(metrics.sum("inference_extra_calls_total", { kind: "retry" })).toBe(5);
    const id = String(answers.at(-1)?.headers["x-prediction-id"]);
    const path = `/api/v1/predictions/${id}`;
    const explanation = await ask(server.facts.control ?? "", path);
    expect(JSON.stringify(explanation.json)).toContain(`"endpoint":"${near}"`);
  });

  it("serves it once it is up, when it was down at the start and the file says nothing of it", async () => {
    const port = await freePort();
    using late = new Workspace({
      "millrace.yaml": `services:\n  flowers: { graph: { remote: "http://127.0.0.1:${port}", model: iris } }\n`,
    });
    await using server = await MillraceProcess.start(["serve", late.path]);
    const predict = async (): Promise<number> =>
      (await ask(server.url, "/predict", { body: { data: SETOSA } })).status;
    expect(await predict()).toBe(503);
    await using _far = await MillraceProcess.start(["serve", folder.path], {
      ports: ["--port", String(port), "--server.grpc-port", "off", "--server.metrics-port", "off"],
    });
    await eventually(async () => (await predict()) === 200, "an answer", 60_000);
  }, 90_000);
});
