import type { Clock } from "../../core/clock.ts";
import type { CacheBounds, TensorCache, TensorCaches } from "../../ports/tensor-cache.ts";
import { MemoryTensorCache } from "./memory-tensor-cache.ts";

/** Caches in the memory of this process, each with bounds of its own; they end with whoever holds them. */
export class MemoryTensorCaches implements TensorCaches {
  readonly isUp = true;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(bounds: CacheBounds): TensorCache {
    return new MemoryTensorCache(bounds, this.#clock);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
