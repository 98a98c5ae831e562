/** What a window tells of its latencies. */
export interface LatencyWindow {
  readonly ok: number;
  readonly failed: number;
  readonly p50_ms: number;
  readonly p90_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

/** Halvings of the range of all latencies, on a logarithmic scale: to a millionth of it. */
const STEPS = 20;

/**
 * A percentile of the latencies of several windows together, from the percentiles of each. Between those it takes the
 * logarithm of the latency to be a straight line; below the median, of which a window tells nothing, the mirror image of
 * what is above.
 *
 * It is near to the percentile of the requests, not it; but it moves as that does when windows are left out, which is what
 * an error is estimated from.
 *
 * @param windows with at least one request.
 * @returns its logarithm, of ms.
 */
export function logQuantileOf(windows: readonly LatencyWindow[], share: number): number {
  const requests = windows.reduce((sum, { ok, failed }) => sum + ok + failed, 0);
  const curves = windows.map((window) => ({
    weight: (window.ok + window.failed) / requests,
    points: pointsOf(window),
  }));
  let low = Math.min(...curves.map(({ points }) => (points[0] as Point).at));
  let high = Math.max(...curves.map(({ points }) => (points.at(-1) as Point).at));
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    const below = curves.reduce(
      (sum, { weight, points }) => sum + weight * shareAt(points, middle),
      0,
    );
    if (below < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

interface Point {
  /** Logarithm of a latency. */
  readonly at: number;
  /** Of the requests that are below. */
  readonly share: number;
}

/** A latency of 0 has no logarithm; nothing is measured below a microsecond. */
const LATENCY_MS_MIN = 0.001;

function pointsOf({ p50_ms, p90_ms, p99_ms, max_ms }: LatencyWindow): readonly Point[] {
  const [middle, ...above] = [p50_ms, p90_ms, p99_ms, max_ms].map((ms) =>
    Math.log(Math.max(LATENCY_MS_MIN, ms)),
  ) as [number, number, number, number];
  const shares = [0.9, 0.99, 1] as const;
  const upper = above.map((at, i) => ({ at, share: shares[i] as number }));
  const lower = upper.map(({ at, share }) => ({ at: 2 * middle - at, share: 1 - share }));
  return [...lower.toReversed(), { at: middle, share: 0.5 }, ...upper];
}

function shareAt(points: readonly Point[], at: number): number {
  const next = points.findIndex((point) => point.at > at);
  if (next < 0) return 1;
  if (next === 0) return 0;
  const low = points[next - 1] as Point;
  const high = points[next] as Point;
  return low.share + ((at - low.at) / (high.at - low.at)) * (high.share - low.share);
}
