import type { ServerView } from "../core/load/load-report.ts";
import type { ServerCounts } from "./server-counts.ts";

/** What a Millrace did between two looks at its metrics. */
export function serverView(before: ServerCounts, after: ServerCounts): ServerView {
  const buckets = [...after.atMost]
    .map(([bound, count]) => ({ bound, count: count - (before.atMost.get(bound) ?? 0) }))
    .toSorted((a, b) => a.bound - b.bound);
  const refused = [...after.refused]
    .map(([reason, count]) => [reason, count - (before.refused.get(reason) ?? 0)] as const)
    .filter(([, count]) => count > 0);
  return {
    requests: buckets.at(-1)?.count ?? 0,
    p50_ms: 1000 * bucketQuantile(buckets, 0.5),
    p99_ms: 1000 * bucketQuantile(buckets, 0.99),
    refused: Object.fromEntries(refused),
  };
}

interface Bucket {
  /** Upper bound; Infinity of the last one. */
  readonly bound: number;
  /** Values up to there, those of the buckets below included. */
  readonly count: number;
}

/**
 * The quantile as Prometheus' `histogram_quantile` has it: by a straight line within its bucket, and the highest bound
 * there is for what lies above it. Its error is up to the width of the bucket.
 * @returns 0 where nothing was counted.
 */
function bucketQuantile(buckets: readonly Bucket[], share: number): number {
  const rank = share * (buckets.at(-1)?.count ?? 0);
  let below: Bucket = { bound: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank && bucket.count > below.count) {
      if (bucket.bound === Infinity) return below.bound;
      const part = (rank - below.count) / (bucket.count - below.count);
      return below.bound + part * (bucket.bound - below.bound);
    }
    below = bucket;
  }
  return 0;
}
