import type { Batch } from "./batch.ts";

interface ExecutorState<T> {
  /** Batches it may hold at a time, at least 1. */
  readonly depth: number;
  /** The first one runs, the others stand ready. */
  readonly batches: Batch<T>[];
  /** When the first one began to run. */
  startedMs: number;
}

/** How much longer a run is expected to take that has outlasted its prediction, as a part of its time so far. */
const OVERDUE_SHARE = 0.1;

/** Which executors there are, and what each of them runs. */
export class ExecutorStates<T> {
  readonly #up = new Map<number, ExecutorState<T>>();
  /** When those that are down are expected back. */
  readonly #backAtMs = new Map<number, number>();
  #freeCount = 0;
  #roomAheadCount = 0;

  /** Is there one that has nothing to do? */
  get hasFree(): boolean {
    return this.#freeCount > 0;
  }

  /** Is there one that runs a batch and may hold a second? */
  get hasRoomAhead(): boolean {
    return this.#roomAheadCount > 0;
  }

  get hasUp(): boolean {
    return this.#up.size > 0;
  }

  /** Is none up and none expected back? */
  get isHopeless(): boolean {
    return this.#up.size === 0 && this.#backAtMs.size === 0;
  }

  get upCount(): number {
    return this.#up.size;
  }

  /** One that is up already changes nothing. */
  up(executor: number, depth: number): void {
    if (this.#up.has(executor)) return;
    this.#backAtMs.delete(executor);
    this.#up.set(executor, { depth, batches: [], startedMs: 0 });
    this.#freeCount++;
  }

  /** Adds `sign` where the state counts. */
  #count({ depth, batches }: ExecutorState<T>, sign: 1 | -1): void {
    if (batches.length === 0) this.#freeCount += sign;
    else if (batches.length < depth) this.#roomAheadCount += sign;
  }

  /** @returns the batches it took along. */
  down(executor: number, backAtMs: number): readonly Batch<T>[] {
    if (backAtMs === Infinity) this.#backAtMs.delete(executor);
    else this.#backAtMs.set(executor, backAtMs);
    const state = this.#up.get(executor);
    if (state === undefined) return [];
    this.#up.delete(executor);
    this.#count(state, -1);
    return state.batches;
  }

  /** One that has nothing to do; ask `hasFree` before. */
  free(): number {
    for (const [executor, { batches }] of this.#up) if (batches.length === 0) return executor;
    throw new RangeError("No executor is free");
  }

  /** Those that run a batch and may hold another. */
  *withRoomAhead(): Iterable<number> {
    for (const [executor, { batches, depth }] of this.#up) {
      if (batches.length > 0 && batches.length < depth) yield executor;
    }
  }

  /** Batches it holds. */
  batchCount(executor: number): number {
    return this.#up.get(executor)?.batches.length ?? 0;
  }

  hasRoom(executor: number): boolean {
    return this.batchCount(executor) < (this.#up.get(executor)?.depth ?? 0);
  }

  *running(): Iterable<Batch<T>> {
    for (const { batches } of this.#up.values()) yield* batches;
  }

  /** The batch that each of them computes now, and since when; not those that stand ready behind it. */
  *computing(): Iterable<{ readonly batch: Batch<T>; readonly startedMs: number }> {
    for (const { batches, startedMs } of this.#up.values()) {
      const [batch] = batches;
      if (batch !== undefined) yield { batch, startedMs };
    }
  }

  start(batch: Batch<T>): void {
    const state = this.#up.get(batch.executor) as ExecutorState<T>;
    if (state.batches.length === 0) state.startedMs = batch.leftAtMs;
    this.#count(state, -1);
    state.batches.push(batch);
    this.#count(state, 1);
  }

  /** @returns when the batch began to run: it left then, or the one before it ended. */
  finish(batch: Batch<T>, nowMs: number): number {
    const state = this.#up.get(batch.executor);
    const index = state?.batches.indexOf(batch) ?? -1;
    if (state === undefined || index === -1) return batch.leftAtMs;
    this.#count(state, -1);
    state.batches.splice(index, 1);
    this.#count(state, 1);
    const { startedMs } = state;
    state.startedMs = nowMs;
    return startedMs;
  }

  /** Time until an executor has done `waitingMs` of work that waits, after what runs now. */
  readyInMs(nowMs: number, waitingMs: number): number {
    if (this.#up.size === 0) return this.#backInMs(nowMs) + waitingMs;
    let busyMs = 0;
    for (const { batches, startedMs } of this.#up.values()) {
      for (let i = 0; i < batches.length; i++) {
        const { predictedMs } = batches[i] as Batch<T>;
        const elapsedMs = i === 0 ? nowMs - startedMs : 0;
        busyMs += Math.max(predictedMs - elapsedMs, OVERDUE_SHARE * elapsedMs);
      }
    }
    return (busyMs + waitingMs) / this.#up.size;
  }

  #backInMs(nowMs: number): number {
    const backAtMs = Math.min(...this.#backAtMs.values());
    return Math.max(0, backAtMs - nowMs);
  }
}
