import type { Clock } from "../clock.ts";
import type { Batch, BatchItem, BatchSlice, Refusal } from "./batch.ts";
import type { ByteBudget } from "./byte-budget.ts";

/** What the scheduler asks for. Its host does it, at once and without calling the scheduler back meanwhile. */
export interface BatcherActions<T> {
  /** Run the batch, then say `batchDone` or `batchFailed`. */
  run(batch: Batch<T>): void;
  /**
   * Rows `offset` to `offset + slice.rows` of the batch's outputs are rows `slice.fromRow` and on of the request.
   * @param isLast the request is complete with them.
   */
  answer(slice: BatchSlice<T>, offset: number, isLast: boolean): void;
  /** The request gets no prediction. @param cause what the model threw, for `model_failed`. */
  drop(item: BatchItem<T>, drop: Refusal, cause: unknown): void;
  /** Call `poll` once everything is read that has arrived by now. */
  pollSoon(): void;
  /** Call `poll` at `atMs` on the clock's `nowMs`; this replaces the earlier wish. */
  pollAt(atMs: number): void;
}

export interface BatcherOptions<T> {
  readonly clock: Pick<Clock, "nowMs" | "wallMs">;
  readonly actions: BatcherActions<T>;
  /** Shared by all models of the process. */
  readonly budget: ByteBudget;
  /** Most rows of one batch, at least 1. A request with more is run in parts. */
  readonly rowsMax: number;
  /** Longest time a request waits for company while an executor is free, in milliseconds. */
  readonly delayMs: number;
  /** Latency objective from arrival to answer, in milliseconds; undefined leaves the deadlines of the requests. */
  readonly objectiveMs: number | undefined;
  /** Longest time a batch should run, in milliseconds: a model on the serving loop must not hold it. */
  readonly runMsMax: number;
  /** Rows that may wait. */
  readonly queuedRowsMax: number;
  /** Memory of the requests that wait or run. One request alone is always taken. */
  readonly queuedBytesMax: number;
}
