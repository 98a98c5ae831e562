import type { BatchItem, Priority } from "./batch.ts";
import { BatchCap, type BatchCapOptions } from "./batch-cap.ts";
import { EarliestFirst } from "./earliest-first.ts";
import { LatencyModel } from "./latency-model.ts";

/** Cancelled requests a queue may hold before it is cleaned, if they are also half of it. */
const GONE_MIN = 32;

/** The requests that may share a run, and what is known about their runs. */
export class Bucket<T> {
  readonly key: string;
  readonly model: LatencyModel;
  readonly cap: BatchCap;
  readonly #queue = new EarliestFirst<BatchItem<T>>();
  /** Rows that wait, by priority class. */
  readonly #rowsOf = [0, 0, 0, 0];
  #rows = 0;
  #waiting = 0;

  constructor(key: string, options: BatchCapOptions, like?: Bucket<T>) {
    this.key = key;
    this.model = new LatencyModel(options.rowsMax);
    if (like !== undefined) this.model.startFrom(like.model);
    this.cap = new BatchCap(this.model, options);
  }

  /** Rows that wait. */
  get rows(): number {
    return this.#rows;
  }

  /** Requests that wait, parts included. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Rows that wait in this class and the more urgent ones. */
  rowsAhead(priority: Priority): number {
    let rows = 0;
    for (let other = 1; other <= priority; other++) rows += this.#rowsOf[other] as number;
    return rows;
  }

  /** The request that leaves next; undefined when none waits. */
  first(): BatchItem<T> | undefined {
    for (;;) {
      const first = this.#queue.first();
      if (first === undefined || !first.isGone) return first;
      this.#queue.removeFirst();
    }
  }

  add(item: BatchItem<T>): void {
    this.#queue.add(item);
    this.#waiting++;
    this.#count(item.priority, item.rows);
  }

  /** Takes `rows` rows of the first request out; it leaves the queue with its last one. */
  send(item: BatchItem<T>, rows: number): void {
    item.sentRows += rows;
    this.#count(item.priority, -rows);
    if (item.sentRows < item.rows) return;
    this.#queue.removeFirst();
    this.#waiting--;
  }

  /** Forgets the rows of an item that is gone; what is left of it in the queue is skipped later. */
  drop(item: BatchItem<T>): void {
    if (item.sentRows === item.rows) return;
    this.#waiting--;
    this.#count(item.priority, item.sentRows - item.rows);
    const goneCount = this.#queue.size - this.#waiting;
    if (goneCount > GONE_MIN && goneCount > this.#waiting) {
      this.#queue.retain((entry) => !entry.isGone);
    }
  }

  /** Everything that waits, in no particular order. */
  *items(): Iterable<BatchItem<T>> {
    for (const item of this.#queue) if (!item.isGone) yield item;
  }

  #count(priority: Priority, rows: number): void {
    this.#rows += rows;
    this.#rowsOf[priority] = (this.#rowsOf[priority] as number) + rows;
  }
}
