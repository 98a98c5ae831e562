import type { TDigest } from "../stats/t-digest.ts";
import type { Spread } from "./load-report.ts";

/** What a report has of the values of a digest. @param unitsPerMs 1 where they are in ms, 1,000,000 where in ns. */
export function spreadOf(digest: TDigest, unitsPerMs = 1): Spread {
  if (digest.count === 0) return EMPTY;
  const quantile = (share: number): number => toMs(digest.quantile(share), unitsPerMs);
  return {
    count: digest.count,
    mean_ms: toMs(digest.sum / digest.count, unitsPerMs),
    min_ms: toMs(digest.min, unitsPerMs),
    p50_ms: quantile(0.5),
    p90_ms: quantile(0.9),
    p95_ms: quantile(0.95),
    p99_ms: quantile(0.99),
    p999_ms: quantile(0.999),
    p9999_ms: quantile(0.9999),
    max_ms: toMs(digest.max, unitsPerMs),
  };
}

const EMPTY: Spread = {
  count: 0,
  mean_ms: 0,
  min_ms: 0,
  p50_ms: 0,
  p90_ms: 0,
  p95_ms: 0,
  p99_ms: 0,
  p999_ms: 0,
  p9999_ms: 0,
  max_ms: 0,
};

/** To the ns: clocks have no more. */
function toMs(value: number, unitsPerMs: number): number {
  return Math.round((value / unitsPerMs) * 1e6) / 1e6;
}
