import type { BatchItem, BatchSlice } from "./batch.ts";

/** What is left of batches that failed or were lost, in the order in which it is run again. */
export class Retries<T> {
  readonly #parts: (readonly BatchSlice<T>[])[] = [];

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  add(slices: readonly BatchSlice<T>[]): void {
    const alive = slices.filter(({ item }) => !item.isGone);
    if (alive.length > 0) this.#parts.push(alive);
  }

  /** In two halves, so that what made it fail is found alone after log₂ of its size runs. */
  addHalves(slices: readonly BatchSlice<T>[]): void {
    const half = Math.ceil(slices.length / 2);
    this.add(slices.slice(0, half));
    this.add(slices.slice(half));
  }

  next(): readonly BatchSlice<T>[] | undefined {
    for (let part = this.#parts.shift(); part !== undefined; part = this.#parts.shift()) {
      const alive = part.filter(({ item }) => !item.isGone);
      if (alive.length > 0) return alive;
    }
    return undefined;
  }

  *items(): Iterable<BatchItem<T>> {
    for (const part of this.#parts) for (const { item } of part) if (!item.isGone) yield item;
  }
}
