import type { CacheCounters } from "../core/cache/cache-counters.ts";
import type { Step } from "../core/graph/step.ts";
import type { DataCache } from "./data-cache.ts";

export interface CachedStepOptions {
  /** The steps whose outputs are kept, as one. All inputs and outputs count rows on their first axis. */
  readonly step: Step;
  /** Differs when the same key may give other data: digests of the steps' files and settings. */
  readonly digest: string;
  /** Index of the input whose value, row by row, says which data is meant. */
  readonly keyIndex: number;
  readonly ttlMs: number;
  readonly dataCache: DataCache;
  readonly counters: CacheCounters;
}
