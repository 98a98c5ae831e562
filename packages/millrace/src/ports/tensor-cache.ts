import type { Tensor } from "../core/tensor/tensor.ts";

/** Tensors that were worth something, and may be again. */
export interface CachedTensors {
  /** Nobody changes their data, neither who stored them nor who reads them. */
  readonly outputs: readonly Tensor[];
  /** When they were made, in milliseconds since 1970. */
  readonly storedWallMs: number;
  /** Who made them, for people: `iris@1`. */
  readonly madeBy?: string | undefined;
}

/**
 * What was found. `missing`: nothing is there, or it is older than its time allows. `unavailable`: the cache cannot be
 * asked, or did not answer in time.
 */
export type Lookup = CachedTensors | "missing" | "unavailable";

/** How much a cache in this process may hold. */
export interface CacheBounds {
  /** At least 1. */
  readonly entriesMax: number;
  readonly bytesMax: number;
}

export interface CacheUsage {
  readonly entries: number;
  /** Estimated, as `core/cache/bytes-of.ts` does. */
  readonly bytes: number;
}

/**
 * Keeps tensors for a while. Every adapter passes test/contract/tensor-cache-contract.ts. A cache is a help and never
 * a need: what it cannot do it leaves.
 */
export interface TensorCache {
  /**
   * @param key of `core/cache`: letters, digits and `:`.
   * @returns at once where it can: a promise costs a turn. Never throws or rejects, and takes at most milliseconds.
   */
  get(key: string): Lookup | Promise<Lookup>;
  /**
   * Stores in place of what is there, or leaves it when that cannot be. Never throws; does not wait.
   * @param ttlMs how long `get` finds it, above 0.
   */
  set(key: string, value: CachedTensors, ttlMs: number): void;
  /** What it holds stays as far as it fits. A cache outside this process has bounds of its own, and ignores these. */
  setBounds(bounds: CacheBounds): void;
  /** Undefined for a cache outside this process. */
  usage(): CacheUsage | undefined;
  /** Afterwards everything is missing or unavailable, and nothing is stored. */
  close(): Promise<void>;
}

/** Where caches come from: with memory each is one of its own, outside of this process they are all the same one. */
export interface TensorCaches {
  /** False while what is outside of this process cannot be reached. */
  readonly isUp: boolean;
  /** Who opens it closes it. */
  open(bounds: CacheBounds): TensorCache;
  close(): Promise<void>;
}
