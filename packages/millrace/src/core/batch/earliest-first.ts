export interface Ordered {
  /** Smaller goes first. */
  readonly orderMs: number;
  /** Of equal order, smaller goes first; unique. */
  readonly sequence: number;
}

/**
 * A priority queue as a binary heap. What arrives in order, as requests with equal timeouts do, is added in
 * constant time.
 */
export class EarliestFirst<T extends Ordered> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  first(): T | undefined {
    return this.#heap[0];
  }

  add(entry: T): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as T;
      if (!isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  removeFirst(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last, 0);
    return first;
  }

  /** Keeps what `isKept` accepts, in linear time. */
  retain(isKept: (entry: T) => boolean): void {
    const heap = this.#heap;
    let kept = 0;
    for (const entry of heap) if (isKept(entry)) heap[kept++] = entry;
    heap.length = kept;
    for (let index = (kept >> 1) - 1; index >= 0; index--) this.#sink(heap[index] as T, index);
  }

  /** In no particular order. */
  [Symbol.iterator](): Iterator<T> {
    return this.#heap[Symbol.iterator]();
  }

  #sink(entry: T, start: number): void {
    const heap = this.#heap;
    const { length } = heap;
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1] as T, heap[child] as T)) child++;
      const below = heap[child] as T;
      if (!isBefore(below, entry)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = entry;
  }
}

function isBefore(a: Ordered, b: Ordered): boolean {
  return a.orderMs < b.orderMs || (a.orderMs === b.orderMs && a.sequence < b.sequence);
}
