import type { Counter } from "../metrics/metrics.ts";

/**
 * What came of asking a cache; the share of `hit` among all but `stale` is the hit rate.
 *
 * `hit`: no work of its own was needed, which holds for those too that waited for another one's. `miss`: it was not
 * there. `error`: the cache could not be asked, so it was as good as not there. `stale`: it had expired, and answered
 * because nothing else could.
 */
export interface CacheCounters {
  readonly hit: Counter;
  readonly miss: Counter;
  readonly stale: Counter;
  readonly error: Counter;
}
