import { TestRandom } from "../test-random.ts";
import { BatchItem, type Arrival, type Batch, type BatchSlice, type Refusal } from "./batch.ts";
import { Batcher } from "./batcher.ts";
import type { BatcherActions, BatcherOptions } from "./batcher-options.ts";
import { ByteBudget } from "./byte-budget.ts";
import { EarliestFirst, type Ordered } from "./earliest-first.ts";

/** A request of a test: its rows have numbers of their own, and its reply collects them. */
export interface TestRequest {
  readonly id: number;
  /** The model throws on any batch that holds it. */
  readonly isPoison: boolean;
  readonly rowValues: readonly number[];
  readonly replyRows: number[];
  readonly sentAtMs: number;
  readonly deadlineAtMs: number;
  /** What became of it, one entry an event; exactly one in the end. */
  readonly outcomes: string[];
  /** When the last of them happened; Infinity before. */
  endedAtMs: number;
  /** What a refusal or a drop told the client: when to come again. */
  retryAfterMs: number | undefined;
  /** What the model threw. */
  cause: unknown;
}

interface SimulatedEvent extends Ordered {
  readonly run: () => void;
}

/** Milliseconds a run takes. */
export type RunTime = (rows: number, random: TestRandom) => number;

/**
 * A scheduler with simulated executors on a simulated clock: the whole is a function of its seed. A run copies
 * its rows to its outputs, so that a mixed-up reply is seen.
 */
export class TestWorld implements BatcherActions<TestRequest> {
  readonly random: TestRandom;
  readonly batcher: Batcher<TestRequest>;
  readonly budget: ByteBudget;
  readonly batches: Batch<TestRequest>[] = [];
  readonly requests: TestRequest[] = [];
  readonly items = new Map<number, BatchItem<TestRequest>>();
  nowMs = 0;
  /** What a batch takes besides its run, on its way there and back. */
  transportMs = 0;
  /** Most batches one executor held at a time. */
  depthSeen = 0;
  /** Executors that lose what they run now, by number. */
  readonly #epochs = new Map<number, number>();
  readonly #runTime: RunTime;
  readonly #events = new EarliestFirst<SimulatedEvent>();
  #sequence = 0;
  #wakeAtMs = Infinity;
  #requestCount = 0;
  /** What the run that just ended gave. */
  #outputRows: number[] = [];
  readonly #rowsMax: number;
  readonly #endsAtMs = new Map<Batch<TestRequest>, number>();

  constructor(
    seed: number,
    runTime: RunTime,
    options: Partial<BatcherOptions<TestRequest>> = {},
    bytesMax = 1e9,
  ) {
    this.random = new TestRandom(seed);
    this.#runTime = runTime;
    this.#rowsMax = options.rowsMax ?? 8;
    this.budget = new ByteBudget(bytesMax);
    this.batcher = new Batcher({
      clock: { nowMs: () => this.nowMs, wallMs: () => this.nowMs },
      actions: this,
      budget: this.budget,
      rowsMax: this.#rowsMax,
      delayMs: 0,
      objectiveMs: undefined,
      runMsMax: Infinity,
      queuedRowsMax: 1_000,
      queuedBytesMax: 1e9,
      ...options,
    });
  }

  at(atMs: number, run: () => void): void {
    this.#events.add({ orderMs: atMs, sequence: this.#sequence++, run });
  }

  /** Runs every event until `untilMs`, in order of time. */
  runUntil(untilMs: number): void {
    for (let next = this.#events.first(); next !== undefined; next = this.#events.first()) {
      if (next.orderMs > untilMs) break;
      this.#events.removeFirst();
      this.nowMs = Math.max(this.nowMs, next.orderMs);
      next.run();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** Lets the scheduler learn that a run of n rows takes `perRowMs * n + fixedMs`, exactly and without room. */
  teach(perRowMs: number, fixedMs: number, buckets: readonly string[] = ["a"]): void {
    for (let i = 0; i < Math.max(100, 20 * this.#rowsMax); i++) {
      const rows = 1 + (i % this.#rowsMax);
      for (const bucket of buckets) {
        const { model, cap } = this.batcher.buckets.use(bucket);
        model.observe(rows, perRowMs * rows + fixedMs);
        cap.reconsider();
      }
    }
  }

  send(arrival: Partial<Arrival<TestRequest>> & { isPoison?: boolean } = {}): TestRequest {
    const rows = arrival.rows ?? 1;
    const request: TestRequest = {
      id: this.#requestCount++,
      isPoison: arrival.isPoison ?? false,
      rowValues: Array.from({ length: rows }, (_, row) => this.#requestCount * 1e4 + row),
      replyRows: [],
      sentAtMs: this.nowMs,
      deadlineAtMs: arrival.deadlineAtMs ?? this.nowMs + 1_000,
      outcomes: [],
      endedAtMs: Infinity,
      retryAfterMs: undefined,
      cause: undefined,
    };
    this.requests.push(request);
    const result = this.batcher.arrive({
      rows,
      bytes: rows * 16,
      bucket: "a",
      priority: 2,
      receivedMs: this.nowMs,
      ...arrival,
      deadlineAtMs: request.deadlineAtMs,
      request,
    });
    if (result instanceof BatchItem) this.items.set(request.id, result);
    else this.#refuse(request, result);
    return request;
  }

  cancel(request: TestRequest): void {
    const item = this.items.get(request.id);
    if (item === undefined || item.isGone) return;
    this.#end(request, "cancelled");
    this.batcher.cancel(item);
  }

  startExecutor(executor: number, depth: 1 | 2 = 1): void {
    this.batcher.executorUp(executor, depth);
  }

  /** The executor dies with what it runs and is back after `downMs`. */
  crash(executor: number, downMs: number): void {
    const epoch = this.#epochOf(executor) + 1;
    this.#epochs.set(executor, epoch);
    this.batcher.executorDown(executor, this.nowMs + downMs);
    if (downMs < Infinity) {
      this.at(this.nowMs + downMs, () => {
        if (epoch === this.#epochOf(executor)) this.batcher.executorUp(executor, 1);
      });
    }
  }

  run(batch: Batch<TestRequest>): void {
    this.batches.push(batch);
    const epoch = this.#epochOf(batch.executor);
    const runMs = this.#runTime(batch.rows, this.random);
    const running = [...this.batcher.executors.running()].filter(
      (other) => other.executor === batch.executor && other !== batch,
    );
    this.depthSeen = Math.max(this.depthSeen, running.length + 1);
    const startMs = Math.max(this.nowMs, ...running.map((other) => this.#endsAtMs.get(other) ?? 0));
    const endMs = startMs + runMs + this.transportMs;
    this.#endsAtMs.set(batch, endMs);
    this.at(endMs, () => {
      this.#endsAtMs.delete(batch);
      if (epoch !== this.#epochOf(batch.executor)) return;
      const poison = batch.slices.some(({ item }) => item.request.isPoison);
      if (poison) this.batcher.batchFailed(batch, new Error("poison"));
      else {
        this.#outputRows = batch.slices.flatMap(({ item, fromRow, rows }) =>
          item.request.rowValues.slice(fromRow, fromRow + rows),
        );
        this.batcher.batchDone(batch, runMs);
      }
      this.batcher.poll();
    });
  }

  answer({ item, fromRow, rows }: BatchSlice<TestRequest>, offset: number, isLast: boolean): void {
    const { request } = item;
    const part = this.#outputRows.slice(offset, offset + rows);
    for (const [i, value] of part.entries()) request.replyRows[fromRow + i] = value;
    if (isLast) this.#end(request, "answered");
  }

  drop({ request }: BatchItem<TestRequest>, drop: Refusal, cause: unknown): void {
    request.cause = cause;
    this.#refuse(request, drop);
  }

  pollSoon(): void {
    this.at(this.nowMs, () => this.batcher.poll());
  }

  pollAt(atMs: number): void {
    this.#wakeAtMs = atMs;
    this.at(atMs, () => {
      if (this.#wakeAtMs === atMs) this.batcher.poll();
    });
  }

  #refuse(request: TestRequest, { reason, retryAfterMs }: Refusal): void {
    request.retryAfterMs = retryAfterMs;
    this.#end(request, reason);
  }

  #end(request: TestRequest, outcome: string): void {
    request.outcomes.push(outcome);
    request.endedAtMs = this.nowMs;
  }

  #epochOf(executor: number): number {
    return this.#epochs.get(executor) ?? 0;
  }
}
