import { effectiveCount } from "./effective-count.ts";
import { CONFIDENCE, type Estimate } from "./interval.ts";
import { normalQuantile } from "./normal-quantile.ts";

/** What is to be known of weighted values x for their mean. */
export interface MeanSums {
  /** Σw */
  readonly weight: number;
  /** Σw² */
  readonly weightSquares: number;
  /** Σwx */
  readonly sum: number;
  /** Σwx² */
  readonly squares: number;
}

/**
 * The weighted mean, with the interval mean ± z·√(s²/(n − 1)) of the central limit theorem: s² the weighted variance,
 * n the effective count.
 * @returns undefined without rows; of one row the interval is everything.
 */
export function meanEstimate(sums: MeanSums, confidence = CONFIDENCE): Estimate | undefined {
  const { weight, weightSquares, sum, squares } = sums;
  if (!(weight > 0)) return undefined;
  const value = sum / weight;
  const variance = Math.max(0, squares / weight - value * value);
  const count = effectiveCount(weight, weightSquares);
  // Of one row in two parts the count is a hair beside 1.
  const error = count > 1 + 1e-9 ? Math.sqrt(variance / (count - 1)) : Infinity;
  const half = normalQuantile(0.5 + confidence / 2) * error;
  return { value, interval: { low: value - half, high: value + half } };
}
