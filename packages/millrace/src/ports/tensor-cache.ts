import type { Tensor } from "../core/tensor/tensor.ts";

/** Tensors that were worth something, and may be again. */
export interface CachedTensors {
  /** Nobody changes their data, neither who stored them nor who reads them. */
  readonly outputs: readonly Tensor[];
  /** When they were made, in milliseconds since 1970. */
  readonly storedWallMs: number;
}

/**
 * Keeps tensors for a while. Every adapter passes test/contract/tensor-cache-contract.ts. A cache is a help and never
 * a need: what it cannot do it leaves, and `get` then finds nothing.
 */
export interface TensorCache {
  /**
   * @param key of `core/cache`: letters, digits and `:`.
   * @returns at once where it can: a promise costs a turn. Undefined when there is nothing, when it is older than its
   * time allows, and when the cache cannot be reached. Never throws or rejects.
   */
  get(key: string): CachedTensors | undefined | Promise<CachedTensors | undefined>;
  /** Stores, or leaves it when that cannot be. Never throws; does not wait. @param ttlMs how long `get` finds it. */
  set(key: string, value: CachedTensors, ttlMs: number): void;
  close(): Promise<void>;
}
