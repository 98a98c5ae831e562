import type { BatchCapOptions } from "./batch-cap.ts";
import { Bucket } from "./bucket.ts";

/** Shapes with a queue and a latency model of their own. */
const BUCKETS_MAX = 64;

/** The buckets of one scheduler; of those where nothing waits the one used longest ago makes room for a new one. */
export class Buckets<T> {
  readonly #options: BatchCapOptions;
  /** The one used last at the end. */
  readonly #buckets = new Map<string, Bucket<T>>();
  #latest: Bucket<T> | undefined;

  constructor(options: BatchCapOptions) {
    this.#options = options;
  }

  /** The one used last. */
  get latest(): Bucket<T> | undefined {
    return this.#latest;
  }

  /** @returns undefined when it was forgotten. */
  find(key: string): Bucket<T> | undefined {
    return this.#latest?.key === key ? this.#latest : this.#buckets.get(key);
  }

  /** A new one starts with what an older one has learnt. */
  use(key: string): Bucket<T> {
    if (this.#latest?.key === key) return this.#latest;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= BUCKETS_MAX) this.#forgetOne();
      const [like] = this.#buckets.values();
      bucket = new Bucket(key, this.#options, like);
    } else this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    this.#latest = bucket;
    return bucket;
  }

  [Symbol.iterator](): Iterator<Bucket<T>> {
    return this.#buckets.values();
  }

  /** When requests wait in every one, their rows are bounded, and so is the number of buckets. */
  #forgetOne(): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.waiting > 0) continue;
      this.#buckets.delete(key);
      return;
    }
  }
}
