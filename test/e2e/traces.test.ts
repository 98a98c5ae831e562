import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OtlpReceiver, type ReceivedSpan } from "../otlp-receiver.ts";
import { GrpcClient } from "./grpc-client.ts";
import { ask, type Answer } from "./http-client.ts";
import { eventually, MillraceProcess, runMillrace } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { freePort } from "../free-port.ts";
import { IRIS, SETOSA, Workspace } from "./workspace.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const SERVER = 2;
const CLIENT = 3;

/** What a step of one's own does with the trace it is told of. */
const TELL = `
import { defineStep } from "millrace";
export default defineStep({
  inputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  outputs: { told: { datatype: "BYTES", shape: [-1] } },
  run: (_inputs, { rowCount, traceparent }) => ({
    told: { shape: [rowCount], data: Array.from({ length: rowCount }, () => traceparent ?? "none") },
  }),
});
`;

let traceCount = 0;

/** A trace of a test's own, as its caller sends it. */
function newTrace(flags = "01"): { id: string; parent: string } {
  const id = (0x5eed_0000 + traceCount++).toString(16).padStart(32, "0");
  return { id, parent: `00-${id}-${CALLER}-${flags}` };
}

async function predict(
  { url }: { readonly url: string },
  path: string,
  headers: Readonly<Record<string, string>> = {},
  rows: unknown = SETOSA,
): Promise<Answer> {
  return ask(url, path, {
    headers: { "content-type": "application/json", ...headers },
    body: { data: rows },
  });
}

/** The one span of that name. */
function spanOf(spans: readonly ReceivedSpan[], name: string | RegExp): ReceivedSpan {
  const found = spans.filter((span) =>
    typeof name === "string" ? span.name === name : name.test(span.name),
  );
  if (found.length !== 1) {
    throw new Error(
      `${found.length} spans are ${String(name)}: ${spans.map((one) => one.name).join(", ")}`,
    );
  }
  return found[0] as ReceivedSpan;
}

describe("traces of two servers", () => {
  let receiver: OtlpReceiver;
  let folder: Workspace;
  let near: MillraceProcess;
  let far: MillraceProcess;
  let quiet: MillraceProcess;

  beforeAll(async () => {
    receiver = await OtlpReceiver.start();
    const traces = `traces: { endpoint: "${receiver.url}", headers: { x-key: open-sesame-0123456789 } }`;
    folder = new Workspace({
      "iris.onnx": IRIS,
      "far.yaml": `name: far\n${traces}\nmodels: { iris: ./iris.onnx }\nlog: { sink: off }\n`,
      "tell.ts": TELL,
    });
    far = await MillraceProcess.start(["serve", folder.file("far.yaml")]);
    folder.put(
      "near.yaml",
      `name: near
${traces}
log: { sink: off }
models: { iris: ./iris.onnx }
services:
  both:
    graph: { parallel: { here: iris, there: { remote: "${far.url}", model: iris } } }
  told: { graph: { function: ./tell.ts } }
  cached: { graph: { sequence: [iris] }, cache: { prediction: { ttl: 1h } } }
`,
    );
    folder.put(
      "quiet.yaml",
      `log: { sink: off }\nservices: { both: { graph: { remote: "${far.url}", model: iris } } }\n`,
    );
    near = await MillraceProcess.start(["serve", folder.file("near.yaml")]);
    quiet = await MillraceProcess.start(["serve", folder.file("quiet.yaml")]);
  });
  afterAll(async () => {
    await Promise.all([near.stop(), far.stop(), quiet.stop()]);
    await receiver[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** Spans of a trace, once there are that many. */
  const received = (traceId: string, count: number): Promise<ReceivedSpan[]> =>
    eventually(() => {
      const spans = receiver.trace(traceId);
      return spans.length >= count && spans;
    }, `${count} spans of ${traceId}`);

  it("makes one trace of a graph and of the server that one of its steps asks", async () => {
    const { id, parent } = newTrace();
    const answer = await predict(near, "/services/both/predict", {
      traceparent: parent,
      tracestate: "vendor=abc",
    });
    expect(answer.status).toBe(200);
    const spans = await received(id, 8);
    const request = spanOf(spans, "POST /services/:service/predict both");
    const graph = spanOf(spans, "graph both");
    const here = spanOf(spans, "model here");
    const there = spanOf(spans, "remote there");
    const asked = spanOf(spans, /^POST \/v2\/models\/:model/);
    expect(request).toMatchObject({
      parentSpanId: CALLER,
      kind: SERVER,
      traceState: "vendor=abc",
      resource: { "service.name": "near" },
      attributes: {
        "http.request.method": "POST",
        "http.route": "/services/:service/predict",
        "http.response.status_code": 200,
        "url.path": "/services/both/predict",
        "millrace.service": "both",
        "millrace.prediction_id": answer.headers["x-prediction-id"],
        "millrace.model": "iris@1",
      },
    });
    expect(graph.parentSpanId).toBe(request.spanId);
    expect(here.parentSpanId).toBe(graph.spanId);
    expect(here.attributes).toMatchObject({ "millrace.step.model": "iris@1" });
    expect(there).toMatchObject({ parentSpanId: graph.spanId, kind: CLIENT });
    expect(asked).toMatchObject({
      parentSpanId: there.spanId,
      kind: SERVER,
      traceState: "vendor=abc",
      resource: { "service.name": "far" },
      attributes: { "millrace.service": "iris" },
    });
    for (const part of ["queue", "batch", "compute"]) {
      expect(spanOf(spans, part).parentSpanId).toBe(asked.spanId);
    }
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    // Within this machine's clocks nothing leaves what it is a part of.
    for (const [inner, outer] of [
      [graph, request],
      [here, graph],
      [there, graph],
    ] as const) {
      expect(inner.startNs).toBeGreaterThanOrEqual(outer.startNs);
      expect(inner.endNs).toBeLessThanOrEqual(outer.endNs + 1_000n); // a microsecond, which rounding may take
    }
    expect(receiver.requests.every(({ url }) => url === "/v1/traces")).toBe(true);
    expect(receiver.requests[0]?.headers["x-key"]).toBe("open-sesame-0123456789");
  });

  it("begins a trace where a request has none, or one that is not valid", async () => {
    for (const headers of [{}, { traceparent: `00-${"0".repeat(32)}-${CALLER}-01` }]) {
      const answer = await predict(near, "/services/iris/predict", headers);
      const predictionId = answer.headers["x-prediction-id"];
      const isIts = ({ attributes }: ReceivedSpan): boolean =>
        attributes["millrace.prediction_id"] === predictionId;
      const own = await eventually(() => receiver.spans.find(isIts), "its span");
      expect(own).toMatchObject({ parentSpanId: "", kind: SERVER });
      expect(own.traceId).toMatch(/^(?!0+$)[\da-f]{32}$/);
      expect(receiver.trace(own.traceId).map(({ name }) => name)).toContain("compute");
    }
  });

  it("follows a caller that records nothing, here and at the servers behind", async () => {
    const { id, parent } = newTrace("00");
    const seen = newTrace();
    expect((await predict(near, "/services/both/predict", { traceparent: parent })).status).toBe(
      200,
    );
    await predict(near, "/services/both/predict", { traceparent: seen.parent });
    await received(seen.id, 8); // sent after what the first one would have sent
    expect(receiver.trace(id)).toEqual([]);
  });

  it("traces calls over gRPC, each message of a stream by itself", async () => {
    using client = new GrpcClient(near.facts.grpc ?? "");
    const { id, parent } = newTrace();
    const metadata = { traceparent: parent };
    const data = Buffer.from(Float32Array.from(SETOSA.flat()).buffer);
    const inputs = [{ name: "float_input", datatype: "FP32", shape: [1, 4] }];
    const message = { model_name: "both", inputs, raw_input_contents: [data] };
    await client.ask("ModelInfer", message, { metadata });
    const spans = await received(id, 8);
    const call = spanOf(spans, "inference.GRPCInferenceService/ModelInfer both");
    expect(call).toMatchObject({
      parentSpanId: CALLER,
      kind: SERVER,
      attributes: {
        "rpc.system.name": "grpc",
        "rpc.method": "inference.GRPCInferenceService/ModelInfer",
        "rpc.status_code": "OK",
        "millrace.service": "both",
      },
    });
    expect(spanOf(spans, /^POST \/v2/).parentSpanId).toBe(spanOf(spans, "remote there").spanId);

    const streamed = newTrace();
    const stream = client.stream("ModelStreamInfer", {
      metadata: { traceparent: streamed.parent },
    });
    stream.resume();
    stream.write({ ...message, model_name: "iris" });
    stream.write({ ...message, model_name: "nobody" });
    stream.end();
    const answered = await eventually(() => {
      const own = receiver.trace(streamed.id).filter(({ kind }) => kind === SERVER);
      return own.length === 2 && own;
    }, "a span of each message");
    expect(new Set(answered.map(({ attributes }) => attributes["rpc.status_code"]))).toEqual(
      new Set(["OK", "NOT_FOUND"]),
    );
    expect(answered.every(({ parentSpanId }) => parentSpanId === CALLER)).toBe(true);
  });

  it("tells what was wrong with a request, and whose fault it was", async () => {
    const refused = newTrace();
    const answer = await predict(near, "/services/both/predict", { traceparent: refused.parent }, [
      [1],
    ]);
    expect(answer.status).toBe(400);
    const [span] = await received(refused.id, 1);
    expect(span).toMatchObject({
      name: "POST /services/:service/predict both",
      status: 0,
      attributes: { "http.response.status_code": 400, "error.type": "INVALID_TENSOR" },
    });
    expect(span?.message).toBeUndefined();
  });

  it("says where an answer came from", async () => {
    await predict(near, "/services/cached/predict");
    const { id, parent } = newTrace();
    await predict(near, "/services/cached/predict", { traceparent: parent });
    const spans = await received(id, 1);
    expect(spans).toHaveLength(1);
    expect(spans[0]?.attributes["millrace.cache"]).toBe("hit");
  });

  it("tells a user's function the span that it is, so that what it calls is a part of it", async () => {
    const { id, parent } = newTrace();
    const answer = await predict(near, "/services/told/predict", { traceparent: parent });
    const spans = await received(id, 2);
    const step = spanOf(spans, "graph told");
    expect(answer.json).toEqual({ prediction: `00-${id}-${step.spanId}-01` });
  });

  it("traces the routes of other protocols", async () => {
    for (const [path, body, name] of [
      ["/v1/models/iris:predict", { instances: SETOSA }, "POST /v1/models/:modelAndVerb iris"],
      ["/services/iris/predict/label", { data: SETOSA }, "POST /services/:service/predict/label"],
    ] as const) {
      const { id, parent } = newTrace();
      await ask(near.url, path, { headers: { traceparent: parent }, body });
      const [span] = await received(id, 1);
      expect(span?.name).toContain(name);
    }
  });

  it("passes a context on where the file asks for no traces, with the caller as the parent", async () => {
    const { id, parent } = newTrace();
    await predict(quiet, "/predict", { traceparent: parent, tracestate: "a=1" });
    const spans = await received(id, 4);
    expect(spanOf(spans, /^POST \/v2/)).toMatchObject({ parentSpanId: CALLER, traceState: "a=1" });
    expect(spans.every(({ resource }) => resource["service.name"] === "far")).toBe(true);
  });

  it("counts what the collector took", async () => {
    const metrics = await readMetrics(near.facts.metrics ?? "");
    const valueOf = (name: string): number | undefined =>
      metrics.samples.find((sample) => sample.name === name)?.value;
    expect(valueOf("traces_spans_exported_total")).toBeGreaterThan(20);
    expect(valueOf("traces_spans_dropped_total")).toBe(0);
    expect(valueOf("traces_export_errors_total")).toBe(0);
  });
});

/** Starts a server that sends its spans to `endpoint`. */
function serverWith(endpoint: string, folder: Workspace, more = ""): Promise<MillraceProcess> {
  folder.put(
    "millrace.yaml",
    `log: { sink: off }\ntraces: { endpoint: "${endpoint}"${more} }\nmodels: { iris: ./iris.onnx }\n`,
  );
  return MillraceProcess.start(["serve", folder.path]);
}

describe("a collector that is not well", () => {
  it("costs predictions nothing when it is away, and one line in the log", async () => {
    using folder = new Workspace({ "iris.onnx": IRIS });
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const more = ", headers: { x-key: open-sesame-0123456789 }";
    await using server = await serverWith(endpoint, folder, more);
    for (let i = 0; i < 100; i++) expect((await predict(server, "/predict")).status).toBe(200);
    const line = await server.logLine(({ logger }) => logger === "traces");
    expect(line).toMatchObject({ level: "warn" });
    expect(line.message).toContain("ECONNREFUSED");
    expect(server.printed).not.toContain("open-sesame");
    const startMs = performance.now();
    await predict(server, "/predict");
    expect(await server.stop()).toBe(0);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  it("costs predictions nothing when it takes its time, and a shutdown two seconds at most", async () => {
    await using receiver = await OtlpReceiver.start({ delayMs: 60_000 });
    using folder = new Workspace({ "iris.onnx": IRIS });
    await using server = await serverWith(receiver.url, folder);
    for (let i = 0; i < 200; i++) expect((await predict(server, "/predict")).status).toBe(200);
    await eventually(() => receiver.requests.length > 0, "an export");
    const startMs = performance.now();
    expect((await predict(server, "/predict")).status).toBe(200);
    const answeredMs = performance.now();
    expect(answeredMs - startMs).toBeLessThan(5_000);
    expect(await server.stop()).toBe(0);
    expect(performance.now() - answeredMs).toBeLessThan(10_000);
  });

  it("gets what is left when the server stops", async () => {
    await using receiver = await OtlpReceiver.start();
    using folder = new Workspace({ "iris.onnx": IRIS });
    await using server = await serverWith(receiver.url, folder);
    await predict(server, "/predict");
    expect(await server.stop()).toBe(0);
    expect(receiver.spans.map(({ name }) => name)).toContain("POST /predict iris");
  });

  it("gets the share of the requests that the file says", async () => {
    await using receiver = await OtlpReceiver.start();
    using folder = new Workspace({ "iris.onnx": IRIS });
    await using server = await serverWith(receiver.url, folder, ", sample: 0%");
    for (let i = 0; i < 20; i++) await predict(server, "/predict");
    await predict(server, "/predict", { traceparent: `00-${TRACE}-${CALLER}-01` });
    await server.stop();
    const servers = receiver.spans.filter(({ kind }) => kind === SERVER);
    expect(servers.map(({ traceId }) => traceId)).toEqual([TRACE]);
  });
});

it("several processes of one server send their spans, each under its own name", async () => {
  await using receiver = await OtlpReceiver.start();
  using folder = new Workspace({ "iris.onnx": IRIS });
  folder.put(
    "millrace.yaml",
    `name: shop\nserver: { processes: 2 }\nlog: { sink: off }\ntraces: { endpoint: "${receiver.url}" }\nmodels: { iris: ./iris.onnx }\n`,
  );
  await using server = await MillraceProcess.start(["up", folder.path]);
  await eventually(async () => {
    await predict(server, "/predict");
    const names = new Set(receiver.spans.map(({ resource }) => resource["service.instance.id"]));
    return names.size === 2;
  }, "spans of both processes");
  expect(receiver.spans.every(({ resource }) => resource["service.name"] === "shop")).toBe(true);
});

it("a change of traces needs a restart, and says so", async () => {
  using folder = new Workspace({ "iris.onnx": IRIS });
  await using server = await serverWith("http://127.0.0.1:9", folder);
  folder.put("millrace.yaml", `log: { sink: off }\nmodels: { iris: ./iris.onnx }\n`);
  server.signal("SIGHUP");
  const line = await server.logLine(({ message }) => message.includes("needs a restart"));
  expect(line.message).toContain("traces changed");
});

it("check says nothing of the headers of the collector", async () => {
  using folder = new Workspace({ "iris.onnx": IRIS });
  folder.put(
    "millrace.yaml",
    `traces: { endpoint: "http://127.0.0.1:9", headers: { authorization: Bearer open-sesame } }\nmodels: { iris: ./iris.onnx }\n`,
  );
  const { stdout, stderr, code } = await runMillrace(["config", "print", folder.path]);
  expect(code).toBe(0);
  expect(stdout).toContain("http://127.0.0.1:9");
  expect(stdout + stderr).not.toContain("open-sesame");
});
