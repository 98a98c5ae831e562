import { setTimeout as sleep } from "node:timers/promises";
import { readMetrics } from "../../test/e2e/prometheus.ts";
import { post } from "../serving/http-post.ts";
import type { HttpRequest } from "../serving/peers/peer.ts";
import type { ScratchFolder } from "../serving/scratch-folder.ts";
import { COUNTER_DIGITS } from "../serving/wrk.ts";
import { predictRequest, type BenchServer } from "./bench-server.ts";
import { measureLoads, type Load, type LoadResult, type LoadRow } from "./load-rows.ts";
import type { Plan } from "./plan.ts";

export interface PredictionCacheCost {
  readonly rows: readonly LoadRow[];
  /** Of all runs that were to be hits. */
  readonly hits: number;
  /** Runs of the models behind the caches meanwhile: 0 when a hit never touches the executor. */
  readonly runsDuringHits: number;
}

/** The number in a body that makes it another one; exact as FP32. */
const NUMBER_FIRST = 1_000_000;
/** More than any run has answers, so that no body comes twice. */
const NUMBERS_PER_RUN = 300_000;

/** How many ask a model of 6 ms at a time. */
const SLOW_CONNECTIONS = 8;
const IRIS_CONNECTIONS = [1, 64] as const;
const SETTLE_MS = 500;
const PIXELS = 3 * 224 * 224;

/** Hits and misses get bodies of the same size, made by the generator in the same way; only the number differs. */
export class PredictionCacheBenchmark {
  readonly #server: BenchServer;
  readonly #scratch: ScratchFolder;
  #nextNumber = NUMBER_FIRST + NUMBERS_PER_RUN;
  #hits = 0;
  #runsDuringHits = 0;

  constructor(server: BenchServer, scratch: ScratchFolder) {
    this.#server = server;
    this.#scratch = scratch;
  }

  async measure(plan: Plan): Promise<PredictionCacheCost> {
    const slow = [colourRequest("colour-conv-cached"), pixelsRequest("conv-cached")];
    const iris = irisRequest("iris-cached");
    const loads = [
      ...slow.flatMap((request) => this.#missAndHit(request, SLOW_CONNECTIONS)),
      ...IRIS_CONNECTIONS.flatMap((connections) => [
        this.#load("no cache", irisRequest("iris"), connections, 0),
        ...this.#missAndHit(iris, connections),
      ]),
    ];
    for (const { request } of [...slow, iris]) await post(this.#server.httpPort, request);
    const rows = await measureLoads(this.#server.httpPort, loads, plan, this.#scratch);
    return { rows, hits: this.#hits, runsDuringHits: this.#runsDuringHits };
  }

  #missAndHit(counted: CountedRequest, connections: number): Load[] {
    const watch = (run: () => Promise<LoadResult>): Promise<LoadResult> =>
      this.#watchHits(counted, run);
    return [
      this.#load("miss", counted, connections, 1),
      { ...this.#load("hit", counted, connections, 0), watch },
    ];
  }

  #load(what: string, counted: CountedRequest, connections: number, step: 0 | 1): Load {
    const { service, request, at } = counted;
    const counter = () => ({ at, step, first: step === 0 ? NUMBER_FIRST : this.#takeNumbers() });
    return { name: `${service}, ${what}`, request, connections, counter };
  }

  #takeNumbers(): number {
    const first = this.#nextNumber;
    this.#nextNumber += NUMBERS_PER_RUN;
    if (this.#nextNumber >= 10 ** COUNTER_DIGITS) throw new Error("The numbers are used up");
    return first;
  }

  /** Asks the server's own counters. One answer before makes sure that it is there. */
  async #watchHits(
    { service, model, request }: CountedRequest,
    run: () => Promise<LoadResult>,
  ): Promise<LoadResult> {
    await sleep(SETTLE_MS); // what another load left in work is no run of these
    await post(this.#server.httpPort, request);
    const before = await this.#counts(service, model);
    const result = await run();
    const after = await this.#counts(service, model);
    if (after.hits - before.hits < result.answers) throw new Error(`${service} did not hit`);
    this.#hits += result.answers;
    this.#runsDuringHits += after.runs - before.runs;
    return result;
  }

  async #counts(service: string, model: string): Promise<{ hits: number; runs: number }> {
    const metrics = await readMetrics(this.#server.metricsUrl);
    return {
      hits: metrics.sum("cache_requests_total", { service, cache: "prediction", result: "hit" }),
      runs: metrics.sum("inference_batch_rows_count", { model }),
    };
  }
}

/** A request with a number in its body. */
interface CountedRequest {
  readonly service: string;
  readonly model: string;
  readonly request: HttpRequest;
  /** Where the number stands. */
  readonly at: number;
}

function irisRequest(service: string): CountedRequest {
  return counted(service, "iris", predictRequest(service, [[5.1, 3.5, 1.4, NUMBER_FIRST]]));
}

function colourRequest(service: string): CountedRequest {
  return counted(service, "colour-conv", predictRequest(service, [[0.25, 0.5, NUMBER_FIRST]]));
}

/** As bytes: its last two pixels are the digits of the number and a space, whatever they are as FP32. */
function pixelsRequest(service: string): CountedRequest {
  const bytes = Buffer.from(new Float32Array(PIXELS).fill(0.5).buffer);
  bytes.write(`${NUMBER_FIRST} `, bytes.length - COUNTER_DIGITS - 1, "latin1");
  const parameters = { binary_data_size: bytes.length };
  const inputs = [{ name: "x", shape: [1, 3, 224, 224], datatype: "FP32", parameters }];
  const head = Buffer.from(JSON.stringify({ inputs }));
  return counted(service, "conv", {
    path: `/v2/models/${service}/infer`,
    headers: {
      "content-type": "application/octet-stream",
      "inference-header-content-length": String(head.length),
    },
    body: Buffer.concat([head, bytes]),
  });
}

function counted(service: string, model: string, request: HttpRequest): CountedRequest {
  return { service, model, request, at: request.body.lastIndexOf(String(NUMBER_FIRST)) };
}
