import { LRUCache } from "lru-cache";
import { bytesOf, ENTRY_BYTES_MIN } from "../../core/cache/bytes-of.ts";
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
  #bounds: CacheBounds;
  #entries: LRUCache<string, CachedTensors>;
  #isClosed = false;

  constructor(bounds: CacheBounds, clock: Clock) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#entries = this.#open(bounds);
  }

  get(key: string): Lookup {
    return this.#entries.get(key) ?? "missing";
  }

  set(key: string, { outputs, storedWallMs, madeBy }: CachedTensors, ttlMs: number): void {
    if (this.#isClosed) return;
    this.#entries.set(key, { outputs: ownMemory(outputs), storedWallMs, madeBy }, { ttl: ttlMs });
  }

  setBounds(bounds: CacheBounds): void {
    const { entriesMax, bytesMax } = this.#bounds;
    if (bounds.entriesMax === entriesMax && bounds.bytesMax === bytesMax) return;
    const entries = this.#entries;
    this.#bounds = bounds;
    this.#entries = this.#open(bounds);
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
      // Its lists are as long as that from the beginning, so not longer than the bytes could fill.
      max: Math.max(1, Math.min(entriesMax, Math.floor(bytesMax / ENTRY_BYTES_MIN))),
      maxSize: bytesMax,
      sizeCalculation: ({ outputs }) => bytesOf(outputs),
      // A clock may begin at 0, which means "for ever" here.
      perf: { now: () => 1 + this.#clock.nowMs() },
      // Asks the clock each time, instead of once a millisecond with a timer of its own.
      ttlResolution: 0,
    });
  }
}
