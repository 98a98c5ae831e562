import type { TensorCache, TensorCaches } from "../../ports/tensor-cache.ts";
import { RedisTensorCache, type RedisTensorCacheOptions } from "./redis-tensor-cache.ts";

/** One server for all caches: their keys differ, and its bounds are its own. */
export class RedisTensorCaches implements TensorCaches {
  readonly #shared: RedisTensorCache;

  /** Begins to connect, and does not wait for it. @throws NOT_IMPLEMENTED when the client is not installed. */
  static async open(options: RedisTensorCacheOptions): Promise<RedisTensorCaches> {
    return new RedisTensorCaches(await RedisTensorCache.open(options));
  }

  private constructor(shared: RedisTensorCache) {
    this.#shared = shared;
  }

  get isUp(): boolean {
    return this.#shared.isUp;
  }

  open(): TensorCache {
    const shared = this.#shared;
    return {
      get: (key) => shared.get(key),
      set: (key, value, ttlMs) => shared.set(key, value, ttlMs),
      setBounds: () => undefined,
      usage: () => undefined,
      close: () => Promise.resolve(), // others use it as well
    };
  }

  close(): Promise<void> {
    return this.#shared.close();
  }
}
