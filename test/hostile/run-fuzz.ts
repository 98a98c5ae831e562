import { readFileSync } from "node:fs";
import { ask } from "../e2e/http-client.ts";
import { SETOSA } from "../e2e/workspace.ts";
import { makeCase, type FuzzCase } from "./fuzz-case.ts";
import { SECRET, type FuzzServer } from "./fuzz-server.ts";
import { GrpcPeer } from "./grpc-peer.ts";
import { HttpPeer, type Outcome } from "./http-peer.ts";

export interface FuzzOptions {
  readonly server: FuzzServer;
  readonly seed: number;
  /** Number of the first case. */
  readonly from: number;
  readonly count: number;
  /** Told after every `CHECK_EVERY` cases. */
  readonly onProgress?: (done: number) => void;
}

export interface Failure {
  readonly index: number;
  readonly what: string;
}

export interface FuzzReport {
  readonly done: number;
  readonly seconds: number;
  /** Cases by how they ended: status and code, or `closed`. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
  /** Resident memory of the server, in MiB: [cases done, memory]. */
  readonly memory: readonly (readonly [done: number, rssMib: number])[];
}

/** Clients at the same time. */
const PEERS = 16;

/** Cases after which a good request must be answered right. */
const CHECK_EVERY = 250;

/** Samples of the memory over a whole run, about. */
const MEMORY_SAMPLES = 100;

/** Longest time until a request is answered or its connection closed: a busy machine is no defect, a hang is. */
const PATIENCE_MS = 30_000;

/** Failures after which a run stops: more of them say nothing new. */
const FAILURES_MAX = 10;

/** Sends `count` hostile requests and judges every answer. It stops at the tenth failure, or when the server is lost. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { server, from, count } = options;
  const run = new FuzzRun(options);
  const startMs = performance.now();
  const known = server.process.logLines.length;
  await run.checkGoodRequest(from);
  await Promise.all(Array.from({ length: Math.min(PEERS, count) }, () => run.work()));
  await run.checkGoodRequest(from + count - 1);
  const errors = server.process.logLines.slice(known).filter(({ level }) => level === "error");
  for (const { message } of errors.slice(0, FAILURES_MAX)) {
    run.failures.push({ index: -1, what: `the server logged an error: ${message}` });
  }
  const { done, outcomes, failures, memory } = run;
  return { done, outcomes, failures, memory, seconds: (performance.now() - startMs) / 1000 };
}

class FuzzRun {
  done = 0;
  readonly outcomes = new Map<string, number>();
  readonly failures: Failure[] = [];
  readonly memory: [number, number][] = [];
  readonly #options: FuzzOptions;
  readonly #pid: number;
  readonly #memoryEvery: number;
  #next: number;
  #isLost = false;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#pid = options.server.process.mainPid;
    this.#next = options.from;
    this.#memoryEvery = Math.max(CHECK_EVERY, Math.floor(options.count / MEMORY_SAMPLES));
  }

  /** One client's share: the next case, until none is left. */
  async work(): Promise<void> {
    const { server, seed, from, count } = this.#options;
    const http = new HttpPeer(server.httpPort, PATIENCE_MS);
    const grpc =
      server.grpcPort === undefined ? undefined : new GrpcPeer(server.grpcPort, PATIENCE_MS);
    while (this.#next < from + count && this.failures.length < FAILURES_MAX && !this.#isLost) {
      const index = this.#next++;
      const fuzzCase = makeCase(seed, index);
      this.#judge(index, await send(fuzzCase, http, grpc));
      if (this.done % CHECK_EVERY === 0) await this.checkGoodRequest(index);
    }
    http.close();
    grpc?.close();
  }

  /** A good request is answered right, or the run is over. */
  async checkGoodRequest(index: number): Promise<void> {
    this.#options.onProgress?.(this.done);
    const headers = { authorization: `Bearer ${SECRET}` };
    try {
      const question = { headers, body: { data: SETOSA } };
      const reply = await withPatience(ask(this.#options.server.process.url, "/predict", question));
      if (reply.status === 200 && reply.text.startsWith('{"prediction":[0.9669')) return;
      this.failures.push({ index, what: `a good request got ${reply.status} ${reply.text}` });
    } catch (error) {
      const { printed } = this.#options.server.process;
      const what = `a good request failed: ${String(error)}\n${printed.slice(-2_000)}`;
      this.failures.push({ index, what });
    }
    this.#isLost = true;
  }

  #judge(index: number, outcome: Outcome): void {
    this.done++;
    if (outcome.kind === "wrong") this.failures.push({ index, what: outcome.what });
    const label = outcome.kind === "answered" ? outcome.label : outcome.kind;
    this.outcomes.set(label, (this.outcomes.get(label) ?? 0) + 1);
    if (this.done % this.#memoryEvery === 0) this.memory.push([this.done, rssMib(this.#pid)]);
  }
}

function send(
  fuzzCase: FuzzCase,
  http: HttpPeer,
  grpc: GrpcPeer | undefined,
): Promise<Outcome> | Outcome {
  if (fuzzCase.kind === "http") return http.send(fuzzCase);
  return grpc?.send(fuzzCase) ?? { kind: "answered", label: "no gRPC port" };
}

async function withPatience<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resident memory of a process. @returns 0 when it has ended. */
export function rssMib(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 102.4) / 10;
  } catch {
    return 0;
  }
}
