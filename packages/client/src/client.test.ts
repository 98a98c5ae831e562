import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { MillraceClient, MillraceClientError } from "./index.ts";
import type { Clock, MillraceClientOptions } from "./index.ts";

interface Received {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly bytes: Uint8Array;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Undefined: the connection is reset instead. */
  readonly body?: string | Uint8Array;
}

type Handler = (received: Received, response: ServerResponse) => Answer | undefined | void;

/** A real server for one test. A handler that returns nothing answers by itself, or never. */
async function serve(
  handler: Handler,
): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((bytes) => {
      const line = `${request.method ?? ""} ${request.url ?? ""}`;
      const body = bytes.toString();
      const current: Received = { line, headers: request.headers, body, bytes };
      received.push(current);
      const answer = handler(current, response);
      if (answer === undefined) return;
      if (answer.body === undefined) request.socket.resetAndDestroy();
      else response.writeHead(answer.status ?? 200, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received };
}

/** @returns a port nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

/** Answers each request with the next of `answers`, and the last one from then on. */
function inTurn(...answers: readonly Answer[]): Handler {
  let count = 0;
  return () => answers[Math.min(count++, answers.length - 1)];
}

/** Stands still: waits shorter than `waitMsMax` end at once and are noted, the others on `advanceMs`. */
class TestClock implements Clock {
  readonly waitsMs: number[] = [];
  readonly #waitMsMax = 1000;
  readonly #timers = new Map<() => void, number>();
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, run: () => void): () => void {
    const endMs = this.#nowMs + delayMs;
    this.#timers.set(run, endMs);
    if (delayMs < this.#waitMsMax) {
      this.waitsMs.push(delayMs);
      queueMicrotask(() => this.advanceMs(endMs - this.#nowMs));
    }
    return () => void this.#timers.delete(run);
  }

  advanceMs(deltaMs: number): void {
    this.#nowMs += deltaMs;
    for (const [run, endMs] of this.#timers) {
      if (endMs <= this.#nowMs && this.#timers.delete(run)) run();
    }
  }

  get timerCount(): number {
    return this.#timers.size;
  }
}

const OK: Answer = { body: '{"prediction":[1]}' };
const OVERLOADED: Answer = { status: 503, headers: { "retry-after": "0" }, body: "{}" };
const ROWS = [[5.1, 3.5, 1.4, 0.2]];

async function clientOf(
  handler: Handler,
  options: Omit<MillraceClientOptions, "url"> = {},
): Promise<{ client: MillraceClient; received: Received[]; url: string }> {
  const { url, received } = await serve(handler);
  return { client: new MillraceClient({ url, random: () => 0.5, ...options }), received, url };
}

/** The JSON of a reply with one output of two elements, whose bytes are to follow. */
function binaryOutput(datatype: string, size: number): string {
  const output = { name: "y", datatype, shape: [2], parameters: { binary_data_size: size } };
  return JSON.stringify({ model_name: "m", outputs: [output] });
}

/** @returns what `promise` rejects with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable("the call should reject"),
    (reason: unknown) => reason,
  );
}

async function clientError(promise: Promise<unknown>): Promise<MillraceClientError> {
  const error = await rejection(promise);
  expect(error).toBeInstanceOf(MillraceClientError);
  return error as MillraceClientError;
}

describe("MillraceClient.predict()", () => {
  it("predict() sends rows to the service and gives the prediction with its facts", async () => {
    const headers = {
      "x-prediction-id": "p1",
      "x-request-id": "r1",
      "x-model": "iris-svc@1",
      "server-timing": "queue;dur=0.1, infer;dur=1.5",
    };
    const body = '{"prediction":[0.97,0.016,0.013]}';
    const { client, received } = await clientOf(() => ({ headers, body }), { key: "secret" });
    const result = await client.predict("iris", ROWS, { requestId: "r1", headers: { "x-a": "1" } });
    expect(result).toEqual({
      prediction: [0.97, 0.016, 0.013],
      id: "p1",
      requestId: "r1",
      model: "iris-svc",
      version: "1",
      timings: { queue: 0.1, infer: 1.5 },
    });
    expect(received[0]).toMatchObject({
      line: "POST /services/iris/predict",
      headers: {
        authorization: "Bearer secret",
        "content-type": "application/json",
        "x-request-id": "r1",
        "x-a": "1",
      },
      body: '{"data":[[5.1,3.5,1.4,0.2]]}',
    });
  });

  it("predict() asks the default service, by input name, for the label", async () => {
    const { client, received } = await clientOf(() => ({ body: '{"prediction":"setosa"}' }));
    const inputs = { a: [Float32Array.of(1, 2)], b: [[3n]] };
    const { prediction } = await client.predict<string>(undefined, { inputs }, { label: true });
    expect(prediction).toBe("setosa");
    expect(received[0]?.line).toBe("POST /predict/label");
    expect(received[0]?.body).toBe('{"inputs":{"a":[[1,2]],"b":[[3]]}}');
  });

  it("predict() sends a picture as it is, with its type", async () => {
    const { client, received } = await clientOf(() => OK);
    const bytes = Uint8Array.of(0xff, 0xd8, 0xff, 0x00);
    await client.predict("classify", new Blob([bytes], { type: "image/jpeg" }));
    expect(received[0]).toMatchObject({
      line: "POST /services/classify/predict",
      headers: { "content-type": "image/jpeg" },
    });
    expect(new Uint8Array(received[0]?.bytes ?? [])).toEqual(bytes);
  });

  it("predict() sends an object as it stands, and rows of any kind as data", async () => {
    const { client, received } = await clientOf(() => OK);
    await client.predict("shop", { id: "0000" });
    await client.predict("shop", [Float32Array.of(1, 2)]);
    expect(received.map(({ body }) => body)).toEqual(['{"id":"0000"}', '{"data":[[1,2]]}']);
  });

  it("predict() says that a reply is degraded", async () => {
    const { client } = await clientOf(() => ({ ...OK, headers: { "x-degraded": "fallback" } }));
    expect((await client.predict("iris", ROWS)).degraded).toBe("fallback");
  });

  it("predict() escapes the service's name and keeps a path prefix of the url", async () => {
    const { url, received } = await serve(() => OK);
    await new MillraceClient({ url: `${url}/prefix/` }).predict("a/b", ROWS);
    expect(received[0]?.line).toBe("POST /prefix/services/a%2Fb/predict");
  });

  it("predict() refuses NaN before it sends anything", async () => {
    const { client, received } = await clientOf(() => OK);
    const error = await clientError(client.predict("iris", [[1, NaN]]));
    expect(error.code).toBe("INVALID_BODY");
    expect(received).toEqual([]);
  });

  it.each([
    ["not JSON", "<html>"],
    ["not an object", "[1]"],
    ["a job", '{"job_id":"j1"}'],
  ])("predict() rejects with INVALID_REPLY when the reply is %s", async (_name, body) => {
    const { client } = await clientOf(() => ({ body }));
    const error = await clientError(client.predict("iris", ROWS));
    expect(error).toMatchObject({ code: "INVALID_REPLY", status: 200 });
    expect(error.message).toContain("Cannot read the reply to POST /services/iris/predict: ");
  });
});

describe("MillraceClient.feedback()", () => {
  it("feedback() sends what became known and gives its id", async () => {
    const { client, received } = await clientOf(() => ({
      status: 202,
      body: '{"feedback_id":"f1"}',
    }));
    const id = await client.feedback(
      "iris",
      {
        predictionId: "p1#2",
        label: 9007199254740993n,
        ts: new Date(Date.UTC(2026, 10, 21, 16)),
        source: "lab",
        attributes: { region: "eu", label: "not this" },
      },
      { idempotencyKey: "k1" },
    );
    expect(id).toBe("f1");
    expect(received[0]).toMatchObject({
      line: "POST /services/iris/feedback",
      headers: { "idempotency-key": "k1", "content-type": "application/json" },
      body: '{"region":"eu","label":9007199254740993,"prediction_id":"p1#2","ts":"2026-11-21T16:00:00.000Z","source":"lab"}',
    });
  });

  it("feedback() sends a list to the default service and gives its ids, after a retry", async () => {
    const clock = new TestClock();
    const ok: Answer = { status: 202, body: '{"feedback_ids":["f1","f2"]}' };
    const { client, received } = await clientOf(inTurn(OVERLOADED, ok), { clock });
    const list = [
      { entityId: "u1", ts: "1795276800s", event: "bought", value: 2 },
      { predictionId: "p1", label: ["a", true] },
    ] as const;
    expect(await client.feedback(undefined, list)).toEqual(["f1", "f2"]);
    expect(received.map(({ line }) => line)).toEqual(["POST /feedback", "POST /feedback"]);
    expect(received[0]?.body).toBe(
      '[{"entity_id":"u1","event":"bought","value":2,"ts":"1795276800s"},{"prediction_id":"p1","label":["a",true]}]',
    );
    expect(received[0]?.headers).not.toHaveProperty("idempotency-key");
  });

  it("feedback() rejects with INVALID_REPLY when the reply has no id", async () => {
    const { client } = await clientOf(() => ({ status: 202, body: '{"feedback_ids":[]}' }));
    const error = await clientError(client.feedback("iris", { predictionId: "p", label: 1 }));
    expect(error).toMatchObject({ code: "INVALID_REPLY", status: 202 });
  });
});

describe("MillraceClient.infer()", () => {
  it("infer() sends typed arrays as bytes and reads bytes, every value exact", async () => {
    const json =
      '{"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}},{"name":"t","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6}},{"name":"j","datatype":"INT8","shape":[1],"data":[7]}]}';
    const floats = [0, 0, 0x80, 0x7f, 0, 0, 0xc0, 0x7f]; // Infinity, NaN
    const body = Uint8Array.from([...Buffer.from(json), ...floats, 2, 0, 0, 0, 0xc3, 0xa9]);
    const headers = { "inference-header-content-length": String(json.length) };
    const { client, received } = await clientOf(() => ({ body, headers }));
    const inputs = [
      { name: "x", shape: [1, 2], data: Int16Array.of(1, -1) },
      { name: "s", shape: [1], data: ["é"] },
      { name: "h", shape: [1], datatype: "FP16", data: Uint16Array.of(0x3c00) },
    ] as const;
    const { outputs } = await client.infer("m", { inputs, outputs: ["y"] });
    expect(outputs).toEqual([
      { name: "y", datatype: "FP32", shape: [2], data: Float32Array.of(Infinity, NaN) },
      { name: "t", datatype: "BYTES", shape: [1], data: ["é"] },
      { name: "j", datatype: "INT8", shape: [1], data: Int8Array.of(7) },
    ]);
    const { bytes = new Uint8Array(), headers: sent } = received[0] ?? {};
    const jsonBytes = Number(sent?.["inference-header-content-length"]);
    expect(sent?.["content-type"]).toBe("application/octet-stream");
    expect(jsonBytes % 8).toBe(0);
    expect(JSON.parse(Buffer.from(bytes.subarray(0, jsonBytes)).toString())).toEqual({
      inputs: [
        { name: "x", shape: [1, 2], datatype: "INT16", parameters: { binary_data_size: 4 } },
        { name: "s", shape: [1], datatype: "BYTES", data: ["é"] },
        { name: "h", shape: [1], datatype: "FP16", parameters: { binary_data_size: 2 } },
      ],
      outputs: [{ name: "y" }],
      parameters: { binary_data_output: true },
    });
    expect([...bytes.subarray(jsonBytes)]).toEqual([1, 0, 0xff, 0xff, 0, 0x3c]);
  });

  it("infer() sends a part of a larger buffer, NaN included", async () => {
    const { client, received } = await clientOf(() => ({
      body: '{"model_name":"m","outputs":[]}',
    }));
    const data = Float32Array.of(9, NaN, 9).subarray(1, 2);
    await client.infer("m", { inputs: [{ name: "x", shape: [1], data }] });
    expect([...(received[0]?.bytes.slice(-4) ?? [])]).toEqual([0, 0, 0xc0, 0x7f]);
  });

  it("infer() sends JSON and reads it, 64-bit integers exact, when asked to", async () => {
    const reply = `{"model_name":"m","model_version":"2","id":"i1","outputs":[
      {"name":"y","datatype":"INT64","shape":[2],"data":[9007199254740993,-1]},
      {"name":"z","datatype":"FP32","shape":[1],"data":[null]}]}`;
    const headers = { "x-prediction-id": "p1", "x-model": "m@2" };
    const { client, received } = await clientOf(() => ({ body: reply, headers }));
    const x = { name: "x", shape: [1, 2], data: BigInt64Array.of(2n ** 53n + 1n, -1n) };
    const request = {
      inputs: [x],
      outputs: ["y", "z"],
      version: 2,
      id: "i1",
      encoding: "json",
    } as const;
    expect(await client.infer("m", request)).toEqual({
      model: "m",
      version: "2",
      id: "i1",
      predictionId: "p1",
      timings: {},
      outputs: [
        { name: "y", datatype: "INT64", shape: [2], data: BigInt64Array.of(2n ** 53n + 1n, -1n) },
        { name: "z", datatype: "FP32", shape: [1], data: Float32Array.of(NaN) },
      ],
    });
    expect(received[0]?.line).toBe("POST /v2/models/m/versions/2/infer");
    expect(received[0]?.body).toBe(
      '{"id":"i1","inputs":[{"name":"x","shape":[1,2],"datatype":"INT64","data":[9007199254740993,-1]}],' +
        '"outputs":[{"name":"y"},{"name":"z"}]}',
    );
  });

  it("infer() refuses a wrong input before it sends anything", async () => {
    const { client, received } = await clientOf(() => OK);
    const inputs = [{ name: "x", shape: [1], data: Float32Array.of(Infinity) }];
    const error = await clientError(client.infer("m", { inputs, encoding: "json" }));
    expect(error.message).toBe(
      'Cannot send input "x": element 0 is Infinity, FP32 takes finite numbers in JSON',
    );
    expect(received).toEqual([]);
  });

  it.each([
    ["no model_name", '{"outputs":[]}', "it has no model_name"],
    ["no outputs", '{"model_name":"m"}', "it has no outputs"],
    ["an output without its bytes", binaryOutput("INT8", 1), "it has less than 110 bytes"],
    ["bytes that are too many", `${binaryOutput("INT8", 2)}xxx`, "it has 1 bytes too many"],
    [
      "a wrong number of bytes",
      `${binaryOutput("INT16", 1)}x`,
      "1 bytes are not 2 elements of INT16",
    ],
    [
      "text that is cut off",
      `${binaryOutput("BYTES", 4)}\x01\0\0\0`,
      "4 bytes are not 2 elements of BYTES",
    ],
    ["a broken output", '{"model_name":"m","outputs":[{}]}', "an output has no name"],
  ])("infer() rejects with INVALID_REPLY when there is %s", async (_name, body, detail) => {
    const end = body.indexOf("]}") + 2;
    const headers: Record<string, string> = body.includes("binary_data_size")
      ? { "inference-header-content-length": String(end) }
      : {};
    const { client } = await clientOf(() => ({ body, headers }));
    const error = await clientError(client.infer("m", { inputs: [] }));
    expect(error).toMatchObject({ code: "INVALID_REPLY", detail });
  });

  it("infer() rejects with INVALID_REPLY when the reply ends within its JSON", async () => {
    const headers = { "inference-header-content-length": "99" };
    const { client } = await clientOf(() => ({ body: "{}", headers }));
    const error = await clientError(client.infer("m", { inputs: [] }));
    expect(error).toMatchObject({ code: "INVALID_REPLY", detail: "it has less than 99 bytes" });
  });
});

describe("MillraceClient facts about the server", () => {
  it("metadata() and models() give the protocol's bodies", async () => {
    const metadata = { name: "m", platform: "onnx_onnxv1", inputs: [], outputs: [] };
    const { client } = await clientOf(({ line }) => ({
      body: JSON.stringify(line === "GET /v2/models" ? { models: ["m"] } : metadata),
    }));
    expect(await client.metadata("m")).toEqual(metadata);
    expect(await client.models()).toEqual(["m"]);
  });

  it.each([
    [200, true],
    [503, false],
    [400, false],
  ])("ready() and live() read status %i as %s and ask once", async (status, expected) => {
    const { client, received } = await clientOf(() => ({ status, body: "" }));
    expect([await client.ready(), await client.live()]).toEqual([expected, expected]);
    expect(received.map(({ line }) => line)).toEqual([
      "GET /v2/health/ready",
      "GET /v2/health/live",
    ]);
  });

  it("ready() rejects when the key is refused", async () => {
    const { client } = await clientOf(() => ({ status: 401, body: '{"error":"no key"}' }));
    expect((await clientError(client.ready())).status).toBe(401);
  });

  it("health() gives the reason of a server that is not ready", async () => {
    const ng = { status: 503, body: '{"health":"ng","reason":"iris: loading"}' };
    const { client } = await clientOf(inTurn({ body: '{"health":"ok"}' }, ng));
    expect(await client.health()).toEqual({ health: "ok" });
    expect(await client.health()).toEqual({ health: "ng", reason: "iris: loading" });
  });
});

describe("MillraceClient retries", () => {
  it("predict() retries 503, 429 and a reset connection, with jitter, until it has a reply", async () => {
    const clock = new TestClock();
    const handler = inTurn(OVERLOADED, { status: 429, body: "" }, {}, OK);
    const { client, received } = await clientOf(handler, { clock, retries: { max: 3 } });
    expect((await client.predict("iris", ROWS)).prediction).toEqual([1]);
    expect(received.map(({ headers }) => headers["x-request-timeout"])).toEqual([
      "30000ms",
      "29975ms",
      "29925ms",
      "29825ms",
    ]);
    expect(clock.waitsMs).toEqual([25, 50, 100]);
    expect(clock.timerCount).toBe(0);
  });

  it("predict() rejects with the last error when its retries are used up", async () => {
    const { client, received } = await clientOf(() => OVERLOADED, { clock: new TestClock() });
    expect((await clientError(client.predict("iris", ROWS))).status).toBe(503);
    expect(received).toHaveLength(3);
  });

  it.each([400, 404, 413, 500, 501, 504])("predict() does not retry %i", async (status) => {
    const { client, received } = await clientOf(() => ({ status, body: "" }));
    expect((await clientError(client.predict("iris", ROWS))).code).toBe(`HTTP_${status}`);
    expect(received).toHaveLength(1);
  });

  it("predict() does not retry when Retry-After passes the deadline", async () => {
    const answer = { status: 503, headers: { "retry-after": "2" }, body: "" };
    const { client, received } = await clientOf(() => answer);
    const error = await clientError(client.predict("iris", ROWS, { timeoutMs: 2000 }));
    expect(error).toMatchObject({ status: 503, retryAfterSeconds: 2 });
    expect(received).toHaveLength(1);
  });

  it("predict() sends at most the budget more than was asked when a server refuses everything", async () => {
    const retries = { budgetMax: 2, budgetRatio: 0.1 };
    const { client, received } = await clientOf(() => OVERLOADED, {
      clock: new TestClock(),
      retries,
    });
    for (let i = 0; i < 21; i++) await clientError(client.predict("iris", ROWS));
    expect(received.length).toBeLessThanOrEqual(21 + 2 + 2);
    expect(received.length).toBeGreaterThan(21 + 2);
  });
});

describe("MillraceClient deadlines and aborts", () => {
  it("predict() tells the server its timeout and rejects when it has passed", async () => {
    const clock = new TestClock();
    const { client, received } = await clientOf(() => clock.advanceMs(2000), { clock });
    const error = await clientError(client.predict("iris", ROWS, { timeoutMs: 2000 }));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", status: undefined });
    expect(error.message).toBe("Cannot POST /services/iris/predict: no reply within 2000 ms");
    expect(received).toHaveLength(1);
    expect(received[0]?.headers["x-request-timeout"]).toBe("2000ms");
  });

  it("predict() applies its timeout to a reply that never ends", async () => {
    const clock = new TestClock();
    const { client } = await clientOf(
      (_received, response) => {
        response.write('{"prediction":', () => clock.advanceMs(30_000));
      },
      { clock },
    );
    expect((await clientError(client.predict("iris", ROWS))).code).toBe("DEADLINE_EXCEEDED");
  });

  it("predict() rejects with the caller's own reason when the caller aborts", async () => {
    const caller = new AbortController();
    const reason = new Error("the page was left");
    const { client, received } = await clientOf(() => caller.abort(reason));
    expect(await rejection(client.predict("iris", ROWS, { signal: caller.signal }))).toBe(reason);
    expect(received).toHaveLength(1);
  });

  it("predict() ends a wait between attempts when the caller aborts", async () => {
    const caller = new AbortController();
    const clock = new TestClock();
    const waiting: Clock = {
      nowMs: () => 0,
      schedule(delayMs, run) {
        if (delayMs < 1000) queueMicrotask(() => caller.abort("enough"));
        return clock.schedule(delayMs + 1000, run);
      },
    };
    const { client } = await clientOf(() => OVERLOADED, { clock: waiting });
    expect(await rejection(client.predict("iris", ROWS, { signal: caller.signal }))).toBe("enough");
    expect(clock.timerCount).toBe(0);
  });

  it("predict() sends nothing when the caller has aborted before", async () => {
    const { client, received } = await clientOf(() => OK);
    const signal = AbortSignal.abort("too late");
    expect(await rejection(client.predict("iris", ROWS, { signal }))).toBe("too late");
    expect(received).toEqual([]);
  });

  it.each([0, NaN, Infinity])("predict() refuses a timeout of %d ms", async (timeoutMs) => {
    const { client } = await clientOf(() => OK);
    await expect(client.predict("iris", ROWS, { timeoutMs })).rejects.toThrow(RangeError);
  });
});

describe("MillraceClient errors", () => {
  it("predict() rejects with the server's problem", async () => {
    const problem = { location: ["body", "data", 0, 2], message: "found text", type: "type" };
    const body = JSON.stringify({ code: "INVALID_TENSOR", detail: "wrong", errors: [problem] });
    const headers = { "content-type": "application/problem+json", "x-request-id": "r1" };
    const { client } = await clientOf(() => ({ status: 400, headers, body }));
    expect(await clientError(client.predict("iris", [["a"]]))).toMatchObject({
      message: "Cannot POST /services/iris/predict: wrong (400 INVALID_TENSOR)",
      status: 400,
      code: "INVALID_TENSOR",
      problems: [problem],
      requestId: "r1",
    });
  });

  it("predict() keeps the cause when nobody listens", async () => {
    const port = await freePort();
    const client = new MillraceClient({ url: `http://127.0.0.1:${port}`, retries: { max: 0 } });
    const error = await clientError(client.predict("iris", ROWS));
    expect(error).toMatchObject({ code: "CONNECTION_FAILED", status: undefined });
    expect(error.message).toBe(
      `Cannot POST /services/iris/predict: the connection to 127.0.0.1:${port} failed (ECONNREFUSED)`,
    );
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  it("predict() does not repeat a request whose reply broke off", async () => {
    const { client, received } = await clientOf((_received, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{", () => response.destroy());
    });
    const error = await clientError(client.predict("iris", ROWS));
    expect(error).toMatchObject({ code: "CONNECTION_FAILED", status: 200 });
    expect(received).toHaveLength(1);
  });

  it("MillraceClient() refuses a url that is not absolute", () => {
    expect(() => new MillraceClient({ url: "localhost" })).toThrow(TypeError);
  });
});

const EXAMPLE_REPLIES: Readonly<Record<string, string>> = {
  "POST /services/iris/predict": '{"prediction":[1]}',
  "POST /services/iris/feedback": '{"feedback_id":"f1"}',
  "POST /v2/models/iris/infer": '{"model_name":"iris","outputs":[]}',
};

it("MillraceClient: the example of its doc comment is the code below, and runs", async () => {
  const { url } = await serve(({ line }) => ({
    headers: { "x-prediction-id": "p1" },
    body: EXAMPLE_REPLIES[line] ?? "",
  }));
  // example
  const client = new MillraceClient({ url, timeoutMs: 2000 });
  const { prediction, id } = await client.predict("iris", [[5.1, 3.5, 1.4, 0.2]]);
  if (id !== undefined) await client.feedback("iris", { predictionId: id, label: "setosa" });
  const { outputs } = await client.infer("iris", {
    inputs: [{ name: "float_input", shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) }],
  });
  // end
  expect({ prediction, id, outputs }).toEqual({ prediction: [1], id: "p1", outputs: [] });
  const here = readFileSync(new URL(import.meta.url), "utf8");
  const source = readFileSync(new URL("./client.ts", import.meta.url), "utf8");
  const compiled = /\/\/ example\n(.*?) *\/\/ end/s.exec(here)?.[1] ?? "";
  const documented = / \* @example\n(.*?) \*\/\nexport class MillraceClient/s.exec(source)?.[1];
  expect(documented).toBe(compiled.replaceAll(/^ {2}/gm, " * "));
});
