import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server, type Http2ServerRequest } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import type { LoggedPrediction } from "../core/predictions/logged-prediction.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import { readInferRequest } from "../core/tensor/read-infer-request.ts";
import { readRows } from "../core/tensor/read-rows.ts";
import { logged, NOON_US } from "../replay/test-logged.ts";
import { TestQueryEngine } from "../replay/test-query-engine.ts";
import { LoadInputError } from "./load-input-error.ts";
import { measureLoad } from "./measure-load.ts";
import { replayArrivals, type ReplayedArrivals, type ReplayOptions } from "./replay-arrivals.ts";
import { testLoadPlan } from "./test-load-plan.ts";

const HOUR_US = 3_600_000_000;

const SPECS = [{ name: "x", datatype: "FP32", shape: [-1, 2] }] as const;

const OPTIONS: ReplayOptions = {
  traffic: { service: "iris", fromUs: NOON_US, untilUs: NOON_US + HOUR_US, withErrors: false },
  names: { specs: SPECS, columns: () => undefined, redacted: new Map(), policy: undefined },
  request: {
    method: "POST",
    url: "http://127.0.0.1:8080/services/iris/predict",
    headers: [["content-type", "application/json"]],
  },
  form: "predict",
  speed: 1,
};

let engine: TestQueryEngine | undefined;

afterEach(() => engine?.close());

async function replayed(
  records: readonly LoggedPrediction[],
  changes: Partial<ReplayOptions> = {},
): Promise<ReplayedArrivals> {
  engine = await TestQueryEngine.of(records);
  return replayArrivals(engine, { ...OPTIONS, ...changes });
}

function matrix(...rows: readonly (readonly [number, number])[]): Tensor {
  const data = Float32Array.from(rows.flat());
  return { name: "x", datatype: "FP32", shape: [rows.length, 2], data };
}

function bodyOf(found: ReplayedArrivals, at: number): Uint8Array {
  const [part] = found.targets[at]?.body ?? [];
  if (part?.kind !== "bytes") throw new Error("expected bytes");
  return part.bytes;
}

const OUTPUT = matrix([1, 2]);

/** A server that keeps what it is asked. */
async function serve(protocol: "http1" | "http2") {
  const bodies: string[] = [];
  const answer = (
    request: IncomingMessage | Http2ServerRequest,
    response: { end(): void },
  ): void => {
    void text(request).then((body) => {
      bodies.push(body);
      response.end();
    });
  };
  const server = protocol === "http1" ? createServer(answer) : createHttp2Server(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/predict`, bodies, close: () => server.close() };
}

describe("replayArrivals()", () => {
  it("gives what was asked, with its digits, at the times it came", async () => {
    const found = await replayed([
      logged([matrix([5.1, 3.5])], [OUTPUT], { receivedUs: NOON_US + 500 }),
      logged([matrix([4.9, 3], [0.1, -0])], [matrix([1, 2], [3, 4])], {
        receivedUs: NOON_US + 2500,
        number: 1,
      }),
      logged([matrix([1, 2])], [OUTPUT], { receivedUs: NOON_US + 1_000_500, number: 2 }),
    ]);
    expect(found).toMatchObject({ found: 3, skipped: [], isCut: false });
    expect(found.arrivals).toEqual({ kind: "times", timesMs: new Float64Array([0, 2, 1000]) });
    expect(found.targets.map(({ method, url, weight }) => [method, url, weight])).toEqual(
      new Array(3).fill(["POST", OPTIONS.request.url, 1]),
    );
    expect(Buffer.from(bodyOf(found, 0)).toString()).toBe('{"inputs":{"x":[[5.1,3.5]]}}');
    expect(readRows(bodyOf(found, 1).slice(), SPECS)).toEqual([matrix([4.9, 3], [0.1, -0])]);
  });

  it("gives bodies of the Open Inference Protocol, and goes faster", async () => {
    const records = [0, 1, 2].map((number) =>
      logged([matrix([5.1, number])], [OUTPUT], {
        receivedUs: NOON_US + number * 1_000_000,
        number,
      }),
    );
    const found = await replayed(records, { form: "infer", speed: 4 });
    expect(found.arrivals.timesMs).toEqual(new Float64Array([0, 250, 500]));
    const { inputs } = readInferRequest(bodyOf(found, 2).slice(), SPECS, undefined);
    expect(inputs).toEqual([matrix([5.1, 2])]);
  });

  it.each(["http1", "http2"] as const)("is sent from several threads by %s", async (protocol) => {
    const records = Array.from({ length: 20 }, (_, number) =>
      logged([matrix([5.1, number])], [OUTPUT], { receivedUs: NOON_US + number * 10_000, number }),
    );
    const { url, bodies, close } = await serve(protocol);
    const request = { ...OPTIONS.request, url };
    const { targets, arrivals } = await replayed(records, { request });
    const plan = { ...testLoadPlan(url), protocol, targets, arrivals, threads: 2, durationMs: 400 };
    const report = await measureLoad({ plan, objectives: [], command: "" });
    close();
    expect(report.status_codes).toEqual({ 200: 20 });
    expect(bodies.toSorted()).toEqual(
      records.map((_, number) => `{"inputs":{"x":[[5.1,${number}]]}}`).toSorted(),
    );
  });

  it("keeps bodies in memory that threads share", async () => {
    const found = await replayed([logged([matrix([1, 2])], [OUTPUT])]);
    expect(bodyOf(found, 0).buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(structuredClone(bodyOf(found, 0)).buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("says what it leaves out, and why", async () => {
    const wrong: Tensor = { name: "x", datatype: "FP32", shape: [1, 3], data: new Float32Array(3) };
    const found = await replayed([
      logged([matrix([1, 2])], [OUTPUT], { number: 1 }),
      logged([wrong], [OUTPUT], { number: 2 }),
      logged([matrix([1, 2])], undefined, { number: 3, errorCode: "OVERLOADED" }),
      logged(undefined, [OUTPUT], { number: 4, payload: "shed" }),
    ]);
    expect(found.targets).toHaveLength(1);
    expect(found.found).toBe(4);
    expect(found.skipped.map(({ name, count }) => [name, count])).toEqual(
      expect.arrayContaining([
        ["it failed", 1],
        ["its inputs were left out while the log was full", 1],
      ]),
    );
    expect(found.skipped).toHaveLength(3);
  });

  it("refuses to replay nothing", async () => {
    const refusal = await replayed([]).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(LoadInputError);
    expect((refusal as Error).message).toBe(
      'Cannot replay requests of "iris": the log has none in that time',
    );
    await engine?.close();
    const failed = logged([matrix([1, 2])], undefined, { errorCode: "OVERLOADED" });
    await expect(replayed([failed])).rejects.toThrow(/: 1 because it failed$/u);
  });

  it("ends with the reason of the signal", async () => {
    engine = await TestQueryEngine.of([]);
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(replayArrivals(engine, OPTIONS, signal)).rejects.toThrow("stop");
  });
});
