import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { Cancellation } from "../../core/cancellation.ts";
import { MillraceError } from "../../core/errors.ts";
import type { Step, StepContext } from "../../core/graph/step.ts";
import { testContext } from "../../core/graph/test-step.ts";
import { parseTraceContext } from "../../core/trace-context/trace-context.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { TestClock } from "../../core/test-clock.ts";
import type { RemoteOptions, SourceStep } from "../../ports/step-sources.ts";
import { openRemote } from "./remote-http.ts";
import { answerSums, optionsOf, ROWS, X, Y } from "./test-remote.ts";
import { jsonOf, reply, startServer, startTcpServer, type Seen } from "./test-server.ts";

const opened: SourceStep[] = [];
afterEach(() => Promise.all(opened.splice(0).map((source) => source.close())));

interface World {
  readonly source: SourceStep;
  readonly step: Step;
  readonly clock: TestClock;
  /** Fields and message of each warning. */
  readonly warnings: [object, string][];
  /** Runs the step. @returns the elements of its outputs, or what was thrown as `code/reason: message`. */
  readonly run: (inputs?: readonly Tensor[], overrides?: Partial<StepContext>) => Promise<unknown>;
}

async function open(overrides: Partial<RemoteOptions>, clock = new TestClock()): Promise<World> {
  const warnings: [object, string][] = [];
  const ignore = (): void => undefined;
  const warn = (fields: object, message: string): void => void warnings.push([fields, message]);
  const log = { debug: ignore, info: ignore, warn, error: ignore };
  const parts = { clock, random: () => 0.5, log };
  const source = await openRemote("far", optionsOf(overrides), parts);
  opened.push(source);
  const { step } = source;
  const run: World["run"] = async (inputs = ROWS, context = {}) => {
    try {
      const { outputs } = await step.run(inputs, testContext(clock, context));
      return outputs.map(({ data }) => [...data]);
    } catch (error) {
      return errorText(error);
    }
  };
  return { source, step, clock, warnings, run };
}

function errorText(error: unknown): string {
  if (!(error instanceof MillraceError)) throw error;
  const { code, reason, message } = error;
  return `${code}${reason === undefined ? "" : `/${reason}`}: ${message}`;
}

async function loadError(overrides: Partial<RemoteOptions>): Promise<string> {
  try {
    await open(overrides);
  } catch (error) {
    return errorText(error);
  }
  throw new Error("it was opened");
}

const TF_METADATA = {
  metadata: {
    signature_def: {
      signature_def: {
        serving_default: {
          inputs: {
            x: { dtype: "DT_FLOAT", tensor_shape: { dim: [{ size: "-1" }, { size: "2" }] } },
          },
          outputs: { y: { dtype: "DT_FLOAT", tensor_shape: { dim: [{ size: "-1" }] } } },
        },
      },
    },
  },
};

const OIP_MODEL = { name: "m", inputs: [X], outputs: [Y] };

describe("openRemote()", () => {
  test("openRemote() asks a TensorFlow server what its model is, and predicts with it", async () => {
    await using server = await startServer((seen, response) => {
      if (seen.method === "GET") reply(response, TF_METADATA);
      else answerSums(seen, response);
    });
    const { url } = server;
    const { step, run } = await open({
      urls: [url],
      protocol: "tensorflow",
      version: "3",
      inputs: undefined,
      outputs: undefined,
      labels: ["a"],
    });
    expect([step.inputs, step.outputs, step.prediction, step.labels]).toEqual([[X], [Y], 0, ["a"]]);
    expect(await run()).toEqual([[3, 7]]);
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /v1/models/m/versions/3/metadata",
      "POST /v1/models/m/versions/3:predict",
    ]);
    expect(server.connectionCount).toBe(1);
  });

  test("openRemote() calls a version of TensorFlow Serving that is no number by its label", async () => {
    await using server = await startServer(answerSums);
    const { run } = await open({ urls: [server.url], protocol: "tensorflow", version: "stable" });
    await run();
    expect(server.seen.at(-1)?.path).toBe("/v1/models/m/labels/stable:predict");
  });

  test("openRemote() keeps the query of an address, and the address of a JSON API as it is", async () => {
    await using server = await startServer((_seen, response) => reply(response, { y: [1, 2] }));
    const { run } = await open({ urls: [`${server.url}/score/?key=1`], protocol: "json" });
    expect(await run()).toEqual([[1, 2]]);
    expect(server.seen[0]?.path).toBe("/score?key=1");
    expect(jsonOf(server.seen[0] as Seen)).toEqual({
      data: [
        [1, 2],
        [3, 4],
      ],
    });
  });

  test.each([
    ["tensorflow", "tensorflow", TF_METADATA],
    ["oip", "oip", OIP_MODEL],
  ] as const)(
    "openRemote() refuses declarations that %s contradicts",
    async (_n, protocol, body) => {
      await using server = await startServer((_seen, response) => reply(response, body));
      const outputs = [{ ...Y, datatype: "FP64" as const }];
      expect(await loadError({ urls: [server.url], protocol, outputs })).toBe(
        `MODEL_LOAD_FAILED: Cannot load remote "far": ${server.url}/: outputs declares "y" FP64 [-1], its server says FP32 [-1]`,
      );
    },
  );

  test("openRemote() says what to declare when the server does not answer, or does not say it", async () => {
    await using gone = await startServer(() => undefined);
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    expect(await loadError({ urls: [url], protocol: "oip", inputs: undefined })).toBe(
      `MODEL_LOAD_FAILED: Cannot load remote "far": ${url}/ cannot be reached: the connection is refused; declare inputs to start without it`,
    );
    await using silent = await startServer((_seen, response) => reply(response, {}, 404));
    expect(await loadError({ urls: [silent.url], protocol: "oip", outputs: undefined })).toContain(
      "its server does not say what its outputs are, declare outputs",
    );
    expect(await loadError({ urls: [silent.url], outputs: undefined })).toContain(
      "declare outputs",
    );
  });

  test("openRemote() gives up a server that hangs while it is asked what its model is", async () => {
    await using server = await startServer(() => undefined);
    const clock = new TestClock();
    const waited = open({ urls: [server.url], protocol: "oip", inputs: undefined }, clock);
    const failed = waited.then(
      () => "opened",
      (error: unknown) => errorText(error),
    );
    while (server.seen.length === 0) await delay(1);
    clock.advanceMs(1_000);
    expect(await failed).toContain("did not answer within 1000 ms; declare inputs");
  });

  test.each([
    ["a model in JSON", { protocol: "json", model: "m" }, "knows no models"],
    ["a version in JSON", { protocol: "json", version: "1" }, "knows no versions"],
    ["a version of KServe V1", { protocol: "kserve-v1", version: "1" }, "knows no versions"],
    ["no model", { protocol: "oip", model: undefined }, "nothing names the model"],
    ["FP16 without a binary form", { outputs: [{ ...Y, datatype: "FP16" }] }, '"y" is FP16'],
    ["a header that cannot be", { headers: { "content-length": "1" } }, 'header "content-length"'],
    ["no address", { urls: ["far"] }, "expected http://"],
  ] as const)("openRemote() refuses %s", async (_what, overrides, message) => {
    expect(await loadError(overrides)).toContain(message);
  });

  test("openRemote() gives another digest for another server, model or header, and the same for the same", async () => {
    const digest = async (overrides: Partial<RemoteOptions>): Promise<string> =>
      (await open(overrides)).source.digest;
    const digests = await Promise.all([
      digest({}),
      digest({ urls: ["http://127.0.0.1:10"] }),
      digest({ model: "n" }),
      digest({ headers: { "x-tenant": "a" } }),
    ]);
    expect(new Set(digests).size).toBe(4);
    expect(await digest({ timeoutMs: 5 })).toBe(digests[0]);
    expect(digests[0]).toMatch(/^[\da-f]{64}$/);
  });
});

describe("RemoteStep", () => {
  test("run() passes on the request: its id, its trace, its time, and the headers of the file", async () => {
    await using server = await startServer(answerSums);
    const { run, clock } = await open({
      urls: [server.url],
      headers: { Authorization: "Bearer hunter22" },
    });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const traceContext = parseTraceContext(traceparent, undefined);
    const request = { predictionId: "p", requestId: "r", attributes: undefined, traceContext };
    await run(ROWS, { request, deadlineAtMs: clock.nowMs() + 700 });
    expect(server.seen[0]?.headers).toMatchObject({
      authorization: "Bearer hunter22",
      "content-type": "application/json",
      "accept-encoding": "identity",
      "x-request-id": "r",
      "x-request-timeout": "700ms",
      traceparent,
    });
    await run(ROWS, { request });
    expect(server.seen[1]?.headers["x-request-timeout"]).toBe("1000ms");
  });

  test("run() ends at the deadline of the request when that is sooner, and at its own timeout else", async () => {
    await using server = await startServer(() => undefined);
    const { run, clock } = await open({ urls: [server.url], timeoutMs: 500 });
    for (const [leftMs, endMs] of [
      [300, 300],
      [900, 500],
    ] as const) {
      const before = server.seen.length;
      const thrown = run(ROWS, { deadlineAtMs: clock.nowMs() + leftMs });
      while (server.seen.length === before) await delay(1);
      clock.advanceMs(endMs);
      expect(await thrown).toBe(
        `DEADLINE_EXCEEDED: Cannot predict: remote "far" did not answer within ${endMs} ms`,
      );
    }
  });

  test("run() throws the reason of the cancellation when the client goes", async () => {
    await using server = await startServer(() => undefined);
    const { run } = await open({ urls: [server.url] });
    const cancellation = new Cancellation();
    const thrown = run(ROWS, { cancellation });
    while (server.seen.length === 0) await delay(1);
    cancellation.cancel(new MillraceError("CANCELLED", "gone"));
    expect(await thrown).toBe("CANCELLED: gone");
  });

  test("run() refuses one call more than its concurrency", async () => {
    const held: (() => void)[] = [];
    await using server = await startServer((seen, response) => {
      held.push(() => answerSums(seen, response));
    });
    const { run } = await open({ urls: [server.url], concurrency: 2 });
    const runs = [run(), run(), run()];
    expect(await runs[2]).toContain("OVERLOADED/concurrency: Cannot predict");
    while (held.length < 2) await delay(1);
    for (const answer of held) answer();
    expect(await Promise.all(runs.slice(0, 2))).toEqual([[[3, 7]], [[3, 7]]]);
  });

  const status =
    (code: number, headers: Record<string, string> = {}) =>
    (_seen: Seen, response: ServerResponse): void =>
      void response.writeHead(code, headers).end("secret details of hunter22");
  const json =
    (body: unknown) =>
    (_seen: Seen, response: ServerResponse): void =>
      reply(response, body);

  test.each([
    ["answers 500", status(500), 'REMOTE_FAILED/status: Cannot predict: remote "far" answered 500'],
    [
      "refuses the request",
      status(400),
      'REMOTE_FAILED/refused: Cannot predict: remote "far" answered 400',
    ],
    [
      "redirects to a private address",
      status(302, { location: "http://169.254.169.254/" }),
      'REMOTE_FAILED/redirect: Cannot predict: remote "far" answered 302, redirects are not followed',
    ],
    [
      "answers something else",
      json("<html>hunter22</html>"),
      'REMOTE_FAILED/reply: Cannot predict: remote "far" gave a reply that cannot be read at body.0 (json)',
    ],
    [
      "answers another type",
      json({ predictions: ["hunter22", "b"] }),
      'REMOTE_FAILED/reply: Cannot predict: remote "far" gave a reply that cannot be read at body.predictions.0 (type)',
    ],
    [
      "answers another shape",
      json({ predictions: [[1], [2]] }),
      'REMOTE_FAILED/reply: Cannot predict: remote "far" gave "y" as FP32 [2, 1], expected "y" FP32 [-1]',
    ],
    [
      "answers fewer rows than were asked",
      json({ predictions: [1] }),
      'REMOTE_FAILED/reply: Cannot predict: remote "far" gave 1 rows of "y" for 2',
    ],
    [
      "answers too much",
      json({ predictions: [1, 2], x: "x".repeat(100_000) }),
      'REMOTE_FAILED/too_large: Cannot predict: remote "far" answered with more than 100000 bytes',
    ],
  ])("run() says so when the server %s, and the next good answer counts", async (_w, bad, text) => {
    let isBad = true;
    await using server = await startServer((seen, response) => {
      (isBad ? bad : answerSums)(seen, response);
    });
    const { run } = await open({ urls: [server.url], headers: { "x-key": "hunter22" } });
    expect(await run()).toBe(text);
    isBad = false;
    expect(await run()).toEqual([[3, 7]]);
    // Neither the redirect's target nor anything else was asked.
    expect(server.seen.map(({ path }) => path)).toEqual(Array(2).fill("/v1/models/m:predict"));
  });

  test("run() hands on how long a busy server asks to wait", async () => {
    await using server = await startServer(status(503, { "retry-after": "7" }));
    const { step, clock } = await open({ urls: [server.url] });
    await expect(step.run(ROWS, testContext(clock))).rejects.toMatchObject({
      code: "REMOTE_FAILED",
      retryAfterSeconds: 7,
    });
  });

  test("run() logs what a server said without its secrets, and not for every request", async () => {
    await using server = await startServer(status(500));
    const { run, warnings } = await open({
      urls: [server.url],
      headers: { authorization: "Bearer hunter22" },
    });
    for (let i = 0; i < 3; i++) await run();
    expect(warnings).toEqual([
      [
        {
          remote: "far",
          code: "REMOTE_FAILED",
          reason: "status",
          failures: 1,
          detail: 'remote "far" answered 500: "secret details of ***"',
        },
        'Cannot predict: remote "far" answered 500',
      ],
    ]);
  });

  test("run() does not log the query of its address, which may hold a key, when a server echoes it", async () => {
    await using server = await startServer((seen, response) => {
      void response.writeHead(500).end(`no ${seen.path} for ${decodeURIComponent(seen.path)}`);
    });
    const { run, warnings } = await open({
      urls: [`${server.url}/v1/models/m?api_key=hunt%2Fer22`],
      model: undefined,
    });
    await run();
    expect(warnings[0]?.[0]).toMatchObject({ reason: "status" });
    expect(JSON.stringify(warnings)).not.toContain("er22");
  });

  test("run() stops asking a server that keeps failing, and tries again after a while", async () => {
    let isBad = true;
    await using server = await startServer((seen, response) => {
      if (isBad) status(500)(seen, response);
      else answerSums(seen, response);
    });
    const { run, clock } = await open({ urls: [server.url] });
    for (let i = 0; i < 20; i++) expect(await run()).toContain("answered 500");
    expect(await run()).toBe(
      'OVERLOADED/breaker: Cannot predict: remote "far" keeps failing, it is tried again soon',
    );
    expect(server.seen).toHaveLength(20);
    isBad = false;
    clock.advanceMs(10_000);
    for (let i = 0; i < 6; i++) expect(await run()).toEqual([[3, 7]]);
  });

  test("run() does not hold against a server what callers did: refused requests and short deadlines", async () => {
    await using server = await startServer((seen, response) => {
      if (seen.headers["x-request-timeout"] !== "1ms") status(400)(seen, response);
    });
    const { run, clock } = await open({ urls: [server.url] });
    for (let i = 0; i < 15; i++) {
      expect(await run()).toContain("answered 400");
      const before = server.seen.length;
      const late = run(ROWS, { deadlineAtMs: clock.nowMs() + 1 });
      while (server.seen.length === before) await delay(1);
      clock.advanceMs(1);
      expect(await late).toContain("DEADLINE_EXCEEDED");
    }
  });

  test("run() works once a server is up that was down when the step was made", async () => {
    const first = await startServer(() => undefined);
    const { url, port } = first;
    await first[Symbol.asyncDispose]();
    const { run } = await open({ urls: [url], protocol: "oip" });
    expect(await run()).toContain("REMOTE_FAILED/unreachable");
    await using server = await startServer((seen, response) => {
      if (seen.path === "/v2") reply(response, { extensions: ["binary_tensor_data"] });
      else if (seen.path === "/v2/models/m") reply(response, OIP_MODEL);
      else {
        const outputs = [{ name: "y", datatype: "FP32", shape: [2], data: [1, 2] }];
        reply(response, { model_name: "m", outputs });
      }
    }, port);
    expect(await run()).toEqual([[1, 2]]);
    expect(await run()).toEqual([[1, 2]]);
    expect(server.seen.map(({ path }) => path)).toEqual([
      "/v2",
      "/v2/models/m",
      "/v2/models/m/infer",
      "/v2/models/m/infer",
    ]);
    expect(server.seen[3]?.headers["inference-header-content-length"]).toBeDefined();
  });

  test("run() refuses to predict with a server that comes up with another model", async () => {
    const first = await startServer(() => undefined);
    const { url, port } = first;
    await first[Symbol.asyncDispose]();
    const { run, warnings } = await open({ urls: [url], protocol: "oip" });
    const other = { ...OIP_MODEL, inputs: [{ ...X, shape: [-1, 3] }] };
    await using _server = await startServer((_seen, response) => reply(response, other), port);
    expect(await run()).toBe(
      'REMOTE_FAILED/mismatch: Cannot predict: remote "far" takes or gives something else than the file declares',
    );
    expect(warnings[0]?.[0]).toMatchObject({
      detail: 'inputs declares "x" FP32 [-1, 2], its server says FP32 [-1, 3]',
    });
  });

  test("run() asks a server again what it knows when it refuses, at most every ten seconds", async () => {
    await using server = await startServer((seen, response) => {
      if (seen.path === "/v2/models/m") reply(response, OIP_MODEL);
      else reply(response, {}, 400);
    });
    const { run, clock } = await open({ urls: [server.url], protocol: "oip" });
    const described = (): number => server.seen.filter(({ path }) => path === "/v2").length;
    await run();
    await run();
    expect(described()).toBe(1);
    clock.advanceMs(10_000);
    await run(); // refused, and now in doubt
    await run();
    await run();
    expect(described()).toBe(2);
  });

  test("run() fails when its connections are closed under it, and close() leaves none", async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await startTcpServer((socket) => {
      socket.resume();
      socket.once("close", () => closed.resolve());
    });
    const { run, source } = await open({ urls: [server.url] });
    const thrown = run();
    while (server.connectionCount === 0) await delay(1);
    await source.close();
    expect(await thrown).toContain("REMOTE_FAILED/unreachable");
    await closed.promise;
  });
});
