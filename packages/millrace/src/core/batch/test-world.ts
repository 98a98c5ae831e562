import { TestRandom } from "../test-random.ts";
import { BatchItem, type Arrival, type Batch, type BatchSlice, type Refusal } from "./batch.ts";
import { Batcher, type BatcherActions, type BatcherOptions } from "./batcher.ts";
import { ByteBudget } from "./byte-budget.ts";

/** A request of a test: its rows have numbers of their own, and its reply collects them. */
export interface TestRequest {
  readonly id: number;
  /** The model throws on any batch that holds it. */
  readonly isPoison: boolean;
  readonly rowValues: readonly number[];
  readonly replyRows: number[];
  /** What became of it, one entry an event; exactly one in the end. */
  readonly outcomes: string[];
}

interface SimulatedEvent {
  readonly atMs: number;
  readonly sequence: number;
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
  /** Most batches one executor held at a time. */
  depthSeen = 0;
  /** Executors that lose what they run now, by number. */
  readonly #epochs = new Map<number, number>();
  readonly #runTime: RunTime;
  #events: SimulatedEvent[] = [];
  #sequence = 0;
  #wakeAtMs = Infinity;
  #requestCount = 0;
  /** What the run that just ended gave. */
  #outputRows: number[] = [];
  readonly #endsAtMs = new Map<Batch<TestRequest>, number>();

  constructor(
    seed: number,
    runTime: RunTime,
    options: Partial<BatcherOptions<TestRequest>> = {},
    bytesMax = 1e9,
  ) {
    this.random = new TestRandom(seed);
    this.#runTime = runTime;
    this.budget = new ByteBudget(bytesMax);
    this.batcher = new Batcher({
      clock: { nowMs: () => this.nowMs, wallMs: () => this.nowMs },
      actions: this,
      budget: this.budget,
      rowsMax: 8,
      delayMs: 0,
      objectiveMs: undefined,
      runMsMax: Infinity,
      queuedRowsMax: 1_000,
      queuedBytesMax: 1e9,
      ...options,
    });
  }

  at(atMs: number, run: () => void): void {
    this.#events.push({ atMs, sequence: this.#sequence++, run });
  }

  /** Runs every event until `untilMs`, in order of time. */
  runUntil(untilMs: number): void {
    for (;;) {
      let next: SimulatedEvent | undefined;
      for (const event of this.#events) {
        const isFirst =
          next === undefined ||
          event.atMs < next.atMs ||
          (event.atMs === next.atMs && event.sequence < next.sequence);
        if (isFirst) next = event;
      }
      if (next === undefined || next.atMs > untilMs) break;
      this.#events = this.#events.filter((event) => event !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  send(arrival: Partial<Arrival<TestRequest>> & { isPoison?: boolean } = {}): TestRequest {
    const rows = arrival.rows ?? 1;
    const request: TestRequest = {
      id: this.#requestCount++,
      isPoison: arrival.isPoison ?? false,
      rowValues: Array.from({ length: rows }, (_, row) => this.#requestCount * 1e4 + row),
      replyRows: [],
      outcomes: [],
    };
    this.requests.push(request);
    const result = this.batcher.arrive({
      rows,
      bytes: rows * 16,
      bucket: "a",
      priority: 2,
      receivedMs: this.nowMs,
      deadlineAtMs: this.nowMs + 1_000,
      ...arrival,
      request,
    });
    if (result instanceof BatchItem) this.items.set(request.id, result);
    else request.outcomes.push(result.reason);
    return request;
  }

  cancel(request: TestRequest): void {
    const item = this.items.get(request.id);
    if (item === undefined || item.isGone) return;
    request.outcomes.push("cancelled");
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
    this.#endsAtMs.set(batch, startMs + runMs);
    this.at(startMs + runMs, () => {
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
    if (isLast) request.outcomes.push("answered");
  }

  drop(item: BatchItem<TestRequest>, { reason }: Refusal): void {
    item.request.outcomes.push(reason);
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

  #epochOf(executor: number): number {
    return this.#epochs.get(executor) ?? 0;
  }
}
