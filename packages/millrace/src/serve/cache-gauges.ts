import type { Metrics } from "../core/metrics/metrics.ts";
import type { CacheUsage } from "../ports/tensor-cache.ts";

/** What a cache in this process holds. */
export interface NamedUsage extends CacheUsage {
  /** The service it belongs to; empty for the data cache, which all share. */
  readonly service: string;
  readonly cache: "prediction" | "data";
}

/** @param isUp can the caches be reached? Asked when the metrics are read, as `usages` is. */
export function addCacheGauges(
  registry: Metrics,
  isUp: () => boolean,
  usages: () => readonly NamedUsage[],
): void {
  const labels = ["service", "cache"];
  registry.gauge(
    "cache_up",
    "1 when the cache can be reached, as that in memory always can",
    [],
    () => [[[], isUp() ? 1 : 0]],
  );
  registry.gauge("cache_entries", "Entries of the caches in this process", labels, () =>
    usages().map(({ service, cache, entries }) => [[service, cache], entries] as const),
  );
  registry.gauge("cache_bytes", "Memory of the caches in this process, estimated", labels, () =>
    usages().map(({ service, cache, bytes }) => [[service, cache], bytes] as const),
  );
}
