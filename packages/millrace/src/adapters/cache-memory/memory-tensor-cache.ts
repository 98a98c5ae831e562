import { LRUCache } from "lru-cache";
import { bytesOf } from "../../core/cache/bytes-of.ts";
import { ownMemory } from "../../core/cache/own-memory.ts";
import type { Clock } from "../../core/clock.ts";
import type {
  CacheBounds,
  CachedTensors,
  CacheUsage,
  Lookup,
  TensorCache,
} from "../../ports/tensor-cache.ts";

/** Keeps what was used last in the memory of this process. A value that is larger than all its bytes is not kept. */
export class MemoryTensorCache implements TensorCache {
  readonly #clock: Clock;
  #entries: LRUCache<string, CachedTensors>;
  #isClosed = false;

  constructor(bounds: CacheBounds, clock: Clock) {
    this.#clock = clock;
    this.#entries = this.#open(bounds);
  }

  get(key: string): Lookup {
    return this.#entries.get(key) ?? "missing";
  }

  set(key: string, { outputs, storedWallMs }: CachedTensors, ttlMs: number): void {
    if (this.#isClosed) return;
    this.#entries.set(key, { outputs: ownMemory(outputs), storedWallMs }, { ttl: ttlMs });
  }

  setBounds({ entriesMax, bytesMax }: CacheBounds): void {
    const entries = this.#entries;
    if (entries.max === entriesMax && entries.maxSize === bytesMax) return;
    this.#entries = this.#open({ entriesMax, bytesMax });
    // From the oldest to the newest, so that what does not fit is what was not used for longest.
    for (const [key, value] of [...entries.entries()].reverse()) {
      const ttlMs = entries.getRemainingTTL(key);
      if (ttlMs > 0) this.#entries.set(key, value, { ttl: ttlMs });
    }
  }

  usage(): CacheUsage {
    return { entries: this.#entries.size, bytes: this.#entries.calculatedSize };
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#entries.clear();
    return Promise.resolve();
  }

  #open({ entriesMax, bytesMax }: CacheBounds): LRUCache<string, CachedTensors> {
    return new LRUCache({
      max: entriesMax,
      maxSize: bytesMax,
      sizeCalculation: ({ outputs }) => bytesOf(outputs),
      // A clock may begin at 0, which means "for ever" here.
      perf: { now: () => 1 + this.#clock.nowMs() },
      // Asks the clock each time, instead of once a millisecond with a timer of its own.
      ttlResolution: 0,
    });
  }
}
