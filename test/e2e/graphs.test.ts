import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GrpcClient, memberOf } from "./grpc-client.ts";
import { ask, type Answer, type Question } from "./http-client.ts";
import { MillraceProcess, ROOT } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { fixture, IRIS, SETOSA, Workspace } from "./workspace.ts";

const SPECIES = ["setosa", "versicolor", "virginica"];

const FILE = `
server:
  auth: { keys: [{ name: all, secret: open-sesame-0123456789, scopes: [infer, read, admin] }] }
models:
${SPECIES.map((name) => `  is-${name}: { source: ${ROOT}/examples/models/iris_svc_0_${name}.onnx, sample: [[5.1, 3.5, 1.4, 0.2]] }`).join("\n")}
  iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica] }
  prep: { source: ./rounds.onnx, sample: [0] }
  gather: { source: ./gather.onnx }
services:
  species:
    default: true
    graph: { parallel: { setosa: is-setosa, versicolor: is-versicolor, virginica: is-virginica } }
  judged:
    graph: { parallel: { setosa: is-setosa, versicolor: is-versicolor, virginica: is-virginica } }
    parameters: { thresholds: { setosa: 0.5 }, activate: { virginica: false } }
  best:
    graph: { parallel: { setosa: is-setosa, versicolor: is-versicolor }, combine: argmax }
  ranked:
    graph: { sequence: [iris, { softmax: -1 }, { top: 2 }] }
  numbers:
    graph: { sequence: [prep, gather], map: { INDEX: prep.OUTPUT } }
    cache: { prediction: { ttl: 1h } }
  fragile:
    graph: { parallel: { value: gather, checked: { function: ./check.ts } }, timeout: 5s }
  routed:
    graph:
      switch: [{ when: { header: { x-way: second } }, to: second }, { when: { body: { parameters.way: second } }, to: second }]
      default: gather
  second: { graph: { sequence: [prep, gather], map: { INDEX: prep.OUTPUT } } }
  off:
    graph: { sequence: [prep, gather], map: { INDEX: prep.OUTPUT } }
    parameters: { activate: false, deactivated: observe }
`;

/** Throws for the number 2. */
const CHECK = `
import { defineStep } from "millrace";
export default defineStep({
  inputs: { INDEX: { datatype: "INT64", shape: [-1] } },
  outputs: { ok: { datatype: "FP32", shape: [-1] } },
  run({ INDEX: { data } }) {
    if (data.includes(2n)) throw new Error("two is too much");
    return { ok: Array.from(data, () => 1) };
  },
});
`;

let folder: Workspace;
let server: MillraceProcess;
beforeAll(async () => {
  folder = new Workspace({
    "millrace.yaml": FILE,
    "check.ts": CHECK,
    "iris.onnx": IRIS,
    "rounds.onnx": fixture("rounds.onnx"),
    "gather.onnx": fixture("gather.onnx"),
  });
  server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
});
afterAll(async () => {
  await server.stop();
  folder[Symbol.dispose]();
});

const KEY = { authorization: "Bearer open-sesame-0123456789" };
const OPTIONS = { metadata: KEY };
const get = (path: string): Promise<Answer> => ask(server.url, path, { headers: KEY });
const post = (path: string, body: object, { headers }: Question = {}): Promise<Answer> =>
  ask(server.url, path, { body, headers: { ...KEY, ...headers } });

const PAIR = [expect.any(Number), expect.any(Number)];
const each = (value: unknown, names = SPECIES): object =>
  Object.fromEntries(names.map((name) => [name, value]));
const NUMBERS = (name: string, ...data: number[]) => ({
  inputs: [{ name, datatype: "INT64", shape: [data.length], data }],
});
const FLOWER = [{ name: "float_input", datatype: "FP32", shape: [1, 4], data: SETOSA[0] }];

describe("/predict of a graph", () => {
  it("answers branches side by side under their names, with what ran and what each step took", async () => {
    const answer = await post("/predict", { data: SETOSA });
    expect(answer.json).toEqual(each(PAIR));
    expect(answer.headers["x-model"]).toBe("is-setosa@1, is-versicolor@1, is-virginica@1");
    expect(answer.headers["server-timing"]).toContain("setosa;dur=");
    expect(answer.headers["x-degraded"]).toBeUndefined();
    const rows = await post("/predict", { data: [...SETOSA, ...SETOSA] });
    expect(rows.json).toEqual(each([PAIR, PAIR]));
  });

  it("answers 0 and 1 where the file sets thresholds, without branches that are off", async () => {
    const answer = await post("/services/judged/predict", { data: SETOSA });
    expect(answer.json).toEqual({ setosa: 1, versicolor: 0 });
  });

  it("answers one prediction of a sequence, and finds it in the cache the next time", async () => {
    const first = await post("/services/numbers/predict", { data: [1] });
    expect([first.json, first.headers["x-cache"]]).toEqual([{ prediction: 20 }, "miss"]);
    const second = await post("/services/numbers/predict", { data: [1] });
    expect([second.json, second.headers["x-cache"]]).toEqual([{ prediction: 20 }, "hit"]);
  });

  it("chooses a case by header and by a member of the body", async () => {
    const model = async (body: object, headers: Record<string, string> = {}): Promise<unknown> =>
      (await post("/services/routed/predict", body, { headers })).headers["x-model"];
    expect(await model({ data: [1] })).toBe("gather@1");
    expect(await model({ data: [1] }, { "x-way": "second" })).toBe("prep@1, gather@1");
    const body = { ...NUMBERS("INDEX", 1), parameters: { way: "second" } };
    const { headers } = await post("/v2/models/routed/infer", body);
    expect(headers["x-model"]).toBe("prep@1, gather@1");
  });

  it("chooses the label of one answer, and says why it cannot for several", async () => {
    const best = await post("/services/best/predict/label", { data: SETOSA });
    expect(best.json).toMatchObject({ prediction: { label: "setosa" } });
    const ranked = await post("/services/ranked/predict/label", { data: SETOSA });
    expect(ranked.json).toEqual({ prediction: "setosa" });
    const several = await post("/predict/label", { data: SETOSA });
    expect(several.headers["x-error-code"]).toBe("LABELS_NOT_FOUND");
    expect(several.status).toBe(404);
  });

  it("says which branch is missing, in the body and in the headers", async () => {
    const whole = await post("/services/fragile/predict", { data: [1] });
    expect(whole.json).toEqual({ value: 20, checked: 1 });
    const partial = await post("/services/fragile/predict", { data: [2] });
    expect(partial.json).toEqual({ value: 30, checked: null });
    expect(partial.headers).toMatchObject({
      "x-degraded": "partial",
      "x-degraded-steps": "checked;missing;FUNCTION_FAILED",
    });
    const line = await server.logLine(({ message }) => message.startsWith("Step checked"));
    expect(line).toMatchObject({ level: "warn", service: "fragile", code: "FUNCTION_FAILED" });
  });

  it("names the step that failed", async () => {
    const answer = await post("/services/numbers/predict", { data: [99] });
    expect(answer.headers["x-error-code"]).toBe("MODEL_FAILED");
    expect(answer.json).toMatchObject({
      detail: expect.stringContaining('Cannot run step "gather"') as string,
    });
    const none = await post("/services/fragile/predict", { data: [99] });
    expect(none.json).toMatchObject({ value: null, checked: 1 });
  });

  it("answers 503 for a service that is off", async () => {
    const answer = await post("/services/off/predict", { data: [1] });
    expect([answer.status, answer.headers["x-error-code"]]).toEqual([503, "DEACTIVATED"]);
  });

  it.each([
    ["rows of another width", { data: [[1, 2, 3]] }],
    ["no rows", {}],
    ["text", { data: [["a", "b", "c", "d"]] }],
  ])("answers a 4xx for %s", async (_, body) => {
    const { status } = await post("/predict", body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });
});

describe("/v2 of a graph", () => {
  const infer = (service: string, body: object): Promise<Answer> =>
    post(`/v2/models/${service}/infer`, body);

  it("answers every output, or those that are asked for, in JSON", async () => {
    const { json } = await infer("species", { id: "7", inputs: FLOWER });
    expect(json).toMatchObject({
      model_name: "species",
      model_version: "1",
      id: "7",
      outputs: SPECIES.map((name) => ({ name, datatype: "FP32", shape: [1, 2] })),
    });
    const some = await infer("species", {
      inputs: FLOWER,
      outputs: [{ name: "virginica" }, { name: "setosa", parameters: { classification: 1 } }],
    });
    expect(some.json).toMatchObject({
      outputs: [{ name: "virginica" }, { name: "setosa", datatype: "BYTES", shape: [1, 1] }],
    });
    const unknown = await infer("species", { inputs: FLOWER, outputs: [{ name: "rose" }] });
    expect(unknown.status).toBe(400);
  });

  it("answers in binary", async () => {
    const answer = await infer("species", {
      inputs: FLOWER,
      parameters: { binary_data_output: true },
    });
    const jsonBytes = Number(answer.headers["inference-header-content-length"]);
    expect(answer.bytes.length - jsonBytes).toBe(3 * 2 * 4);
  });

  it("leaves out what is missing, and fails where nothing else was asked for", async () => {
    const { json, headers } = await infer("fragile", NUMBERS("INDEX", 2));
    expect((json as { outputs: { name: string }[] }).outputs.map(({ name }) => name)).toEqual([
      "value",
    ]);
    expect(headers["x-degraded"]).toBe("partial");
    const asked = await infer("fragile", {
      ...NUMBERS("INDEX", 2),
      outputs: [{ name: "checked" }],
    });
    expect(asked.headers["x-error-code"]).toBe("FUNCTION_FAILED");
    expect(asked.json).toEqual({ error: expect.stringContaining('step "checked"') as string });
  });

  it("takes version 1 of a graph, whose steps see the request, and knows no other", async () => {
    const path = "/v2/models/routed/versions/1/infer";
    const { headers } = await post(path, NUMBERS("INDEX", 1), { headers: { "x-way": "second" } });
    expect(headers["x-model"]).toBe("prep@1, gather@1");
    const other = await post("/v2/models/routed/versions/2/infer", NUMBERS("INDEX", 1));
    expect(other.status).toBe(404);
  });

  it("describes it as an ensemble", async () => {
    const { json } = await get("/v2/models/species");
    expect(json).toMatchObject({
      name: "species",
      platform: "ensemble",
      inputs: [{ name: "float_input", datatype: "FP32", shape: [-1, 4] }],
      outputs: SPECIES.map((name) => ({ name, datatype: "FP32", shape: [-1, 2] })),
    });
  });

  it.each(["ready", "stats", "config", "batches", "versions/1", "versions/1/ready"])(
    "answers GET …/%s",
    async (path) => {
      const { status } = await get(`/v2/models/species/${path}`);
      expect(status).toBe(200);
    },
  );

  it("lists its services, and refuses to load a graph as a model", async () => {
    const index = await post("/v2/repository/index", {});
    expect(JSON.stringify(index.json)).toContain("gather");
    const load = await post("/v2/repository/models/species/load", {});
    expect(load.status).toBeGreaterThanOrEqual(400);
    expect(load.status).toBeLessThan(500);
  });
});

describe("other servers' forms of a graph", () => {
  it("/v1 and /invocations answer one element a row", async () => {
    const v1 = await post("/v1/models/species:predict", { instances: SETOSA });
    expect(v1.json).toEqual({ predictions: [each(PAIR)] });
    const scoring = await post("/invocations", { inputs: [...SETOSA, ...SETOSA] });
    expect(scoring.json).toEqual({ predictions: [each(PAIR), each(PAIR)] });
    const partial = await post("/v1/models/fragile:predict", { instances: [1, 2] });
    expect(partial.json).toEqual({
      predictions: [
        { value: 20, checked: null },
        { value: 30, checked: null },
      ],
    });
    expect((await get("/v1/models/species")).status).toBe(200);
  });

  it("gRPC answers the outputs, with the facts as metadata", async () => {
    using client = new GrpcClient(server.facts.grpc ?? "");
    const inputs = [
      { name: "INDEX", datatype: "INT64", shape: [1], contents: { int64_contents: [1] } },
    ];
    const rounds = [{ ...inputs[0], name: "ROUNDS" }];
    const { reply, head } = await client.ask(
      "ModelInfer",
      { model_name: "fragile", inputs },
      OPTIONS,
    );
    expect(reply).toMatchObject({ model_name: "fragile", model_version: "1" });
    expect((memberOf(reply, "outputs") as { name: string }[]).map(({ name }) => name)).toEqual([
      "value",
      "checked",
    ]);
    expect(String(head.get("x-model"))).toContain("gather@1");
    const two = [{ ...inputs[0], contents: { int64_contents: [2] } }];
    const partial = await client.ask("ModelInfer", { model_name: "fragile", inputs: two }, OPTIONS);
    expect((memberOf(partial.reply, "outputs") as unknown[]).length).toBe(1);
    expect(partial.head.get("x-degraded")).toEqual(["partial"]);
    const way = { metadata: { ...KEY, "x-way": "second" } };
    const routed = await client.ask("ModelInfer", { model_name: "routed", inputs }, way);
    expect(routed.head.get("x-model")).toEqual(["prep@1, gather@1"]);
    for (const method of ["ModelMetadata", "ModelConfig", "ModelReady", "ModelStatistics"]) {
      await client.ask(method, { name: "species" }, OPTIONS);
    }
    const off = client.ask("ModelInfer", { model_name: "off", inputs: rounds }, OPTIONS);
    await expect(off).rejects.toMatchObject({ code: 14 });
  });
});

describe("what a graph says of itself", () => {
  it("/health, /health/all and /services/…/health/all name what they are made of", async () => {
    expect((await get("/health")).json).toEqual({ health: "ok" });
    expect((await get("/health/all")).json).toMatchObject({ gather: "ok", species: "ok" });
    expect((await get("/services/numbers/health/all")).json).toEqual({ prep: "ok", gather: "ok" });
    expect((await get("/services/numbers/health")).json).toEqual({ health: "ok" });
    expect((await get("/services/nobody/health/all")).status).toBe(404);
  });

  it("/metadata, /label and the sample", async () => {
    expect((await get("/services/species/metadata")).json).toMatchObject({
      service: "species",
      models: "is-setosa@1, is-versicolor@1, is-virginica@1",
      data_sample: SETOSA,
      outputs: SPECIES.map((name) => ({ name })),
    });
    expect((await get("/services/numbers/metadata")).json).toMatchObject({
      prediction_type: "float32",
    });
    expect((await get("/services/species/label")).headers["x-error-code"]).toBe("LABELS_NOT_FOUND");
    expect((await get("/predict/test")).json).toEqual(each(PAIR));
    expect((await get("/services/judged/predict/test")).json).toEqual({
      setosa: 1,
      versicolor: 0,
    });
  });

  it("the OpenAPI page shows every graph", async () => {
    const { status, text } = await get("/openapi.json");
    expect(status).toBe(200);
    expect(text).toContain("/services/species/predict");
    expect(text).toContain("versicolor");
  });

  it("metrics count requests of the service and each step, and batches of the models", async () => {
    const metrics = await readMetrics(server.facts.metrics);
    expect(metrics.sum("inference_requests_total", { service: "species" })).toBeGreaterThan(0);
    expect(metrics.sum("inference_batch_rows_count", { model: "is-setosa" })).toBeGreaterThan(0);
  });
});

describe("a graph whose models come and go", () => {
  it("is not ready while one is unloaded, refuses one that does not fit, and serves again", async () => {
    const predict = (): Promise<Answer> => post("/services/second/predict", { data: [1] });
    expect((await post("/v2/repository/models/prep/unload", {})).status).toBe(200);
    const gone = await predict();
    expect([gone.status, gone.headers["x-error-code"]]).toEqual([503, "MODEL_NOT_READY"]);
    expect((await get("/services/second/health")).json).toMatchObject({
      health: "ng",
      reason: "waits for model prep",
    });
    expect((await get("/services/second/health/all")).json).toEqual({ prep: "ng", gather: "ok" });
    expect((await get("/v2/models/second/ready")).status).toBe(503);
    expect((await post("/v2/repository/models/prep/load", {})).status).toBe(200);
    expect((await predict()).json).toEqual({ prediction: 20 });

    folder.put("gather.onnx", IRIS);
    await post("/v2/repository/models/gather/load", {});
    expect((await get("/services/second/health")).json).toMatchObject({
      health: "ok",
      reason: expect.stringContaining("INDEX") as string,
    });
    expect((await predict()).json).toEqual({ prediction: 20 });
    folder.put("gather.onnx", fixture("gather.onnx"));
    await post("/v2/repository/models/gather/load", {});
    expect((await get("/services/second/health")).json).toEqual({ health: "ok" });
    expect((await predict()).json).toEqual({ prediction: 20 });
    expect(server.logLines.filter(({ level }) => level === "fatal")).toEqual([]);
  });
});
