import type { SampleSummary } from "./sample-summary.ts";

/** Sums over units, each with a numerator y and a denominator x: its errors and its requests, say. */
export interface RatioSums {
  /** Units, not requests: the requests of one unit are not independent of each other. */
  readonly count: number;
  /** Σy */
  readonly numerator: number;
  /** Σx */
  readonly denominator: number;
  /** Σy² */
  readonly numeratorSquares: number;
  /** Σx² */
  readonly denominatorSquares: number;
  /** Σxy */
  readonly products: number;
}

/**
 * Of a ratio R = Σy/Σx by the delta method, clustered by unit: the variance of one unit is
 * (var(y) − 2R·cov(x, y) + R²·var(x)) / x̄² (A. Deng, U. Knoblich, J. Lu, KDD 2018).
 */
export function ratioSummary(sums: RatioSums): SampleSummary {
  const { count, numerator, denominator } = sums;
  const mean = numerator / denominator;
  // y − Rx has the mean 0, so its sum of squares is that of the deviations.
  const squares =
    sums.numeratorSquares - 2 * mean * sums.products + mean * mean * sums.denominatorSquares;
  const variance = (squares * count * count) / ((count - 1) * denominator * denominator);
  return { count, mean, variance: count > 1 ? Math.max(0, variance) : NaN };
}
