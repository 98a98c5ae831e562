/** Due times of requests that wait for a connection, first come first served. Grows as far as arrivals × wait allow. */
export class DueQueue {
  #items: number[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(dueMs: number): void {
    this.#items.push(dueMs);
  }

  /** @returns the one that has waited longest. */
  peek(): number | undefined {
    return this.#items[this.#head];
  }

  shift(): number | undefined {
    const first = this.#items[this.#head];
    if (first === undefined) return undefined;
    this.#head++;
    if (this.#head === COMPACT_AT) {
      this.#items = this.#items.slice(COMPACT_AT);
      this.#head = 0;
    }
    return first;
  }
}

/** Items taken out before their memory is given back. */
const COMPACT_AT = 4096;
