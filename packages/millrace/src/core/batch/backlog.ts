import type { BatchItem, Priority } from "./batch.ts";

/** How much work waits, by priority class, kept as sums so that asking costs nothing. */
export class Backlog {
  readonly #msOf = [0, 0, 0, 0];
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  /** @param rows of `item` that begin to wait; negative when they leave. */
  add({ priority, rowCostMs }: BatchItem<unknown>, rows: number): void {
    this.#rows += rows;
    // Sums of fractions drift: an empty queue is exactly empty.
    if (this.#rows === 0) this.#msOf.fill(0);
    else this.#msOf[priority] = Math.max(0, (this.#msOf[priority] as number) + rows * rowCostMs);
  }

  /** Work of this class and the more urgent ones, in milliseconds of one executor. */
  msAhead(priority: Priority): number {
    let sumMs = 0;
    for (let other = 1; other <= priority; other++) sumMs += this.#msOf[other] as number;
    return sumMs;
  }
}
