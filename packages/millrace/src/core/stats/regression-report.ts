import { effectiveCount } from "./effective-count.ts";
import { CONFIDENCE, type Estimate } from "./interval.ts";
import { meanEstimate } from "./mean-estimate.ts";
import { normalQuantile } from "./normal-quantile.ts";

/** Sums over weighted rows: e = predicted − actual, d = actual − weighted mean of the actual values. */
export interface RegressionSums {
  readonly count: number;
  /** Σw */
  readonly weight: number;
  /** Σw² */
  readonly weightSquares: number;
  /** Σwe */
  readonly error: number;
  /** Σw|e| */
  readonly absolute: number;
  /** Σwe² */
  readonly square: number;
  /** Σwe⁴ */
  readonly fourth: number;
  /** Σwd² */
  readonly spread: number;
  /** Σwd⁴ */
  readonly spreadFourth: number;
  /** Σwe²d² */
  readonly cross: number;
}

export interface RegressionReport {
  readonly count: number;
  readonly effectiveCount: number;
  readonly rmse: Estimate;
  readonly mae: Estimate;
  /** Mean error: above 0 it predicts too much. */
  readonly bias: Estimate;
  /** Undefined when all actual values are the same. */
  readonly r2: Estimate | undefined;
}

/**
 * How well a regression does: RMSE = √mean(e²), MAE = mean(|e|), bias = mean(e), R² = 1 − mean(e²)/mean(d²). Intervals: of
 * means as `meanEstimate`; of RMSE by the root of the interval of its square; of R² by the delta method for a ratio,
 * var = mean((e² − (1 − R²)d²)²) / (n·mean(d²)²).
 * @returns undefined without rows.
 */
export function regressionReport(
  sums: RegressionSums,
  confidence = CONFIDENCE,
): RegressionReport | undefined {
  const { weight, weightSquares, error, absolute, square, fourth } = sums;
  const mean = (sum: number, squares: number): Estimate | undefined =>
    meanEstimate({ weight, weightSquares, sum, squares }, confidence);
  const bias = mean(error, square);
  const mae = mean(absolute, square);
  const mse = mean(square, fourth);
  if (bias === undefined || mae === undefined || mse === undefined) return undefined;
  return {
    count: sums.count,
    effectiveCount: effectiveCount(weight, weightSquares),
    rmse: rootOf(mse),
    mae: { ...mae, interval: { ...mae.interval, low: Math.max(0, mae.interval.low) } },
    bias,
    r2: r2Estimate(sums, confidence),
  };
}

function rootOf({ value, interval: { low, high } }: Estimate): Estimate {
  const interval = { low: Math.sqrt(Math.max(0, low)), high: Math.sqrt(high) };
  return { value: Math.sqrt(value), interval };
}

function r2Estimate(sums: RegressionSums, confidence: number): Estimate | undefined {
  const { weight, weightSquares, square, fourth, spread, spreadFourth, cross } = sums;
  if (!(spread > 0)) return undefined;
  const ratio = square / spread;
  const scatter = Math.max(0, fourth - 2 * ratio * cross + ratio * ratio * spreadFourth) / weight;
  const count = effectiveCount(weight, weightSquares);
  const deviation = count > 1 ? Math.sqrt(scatter / count) / (spread / weight) : Infinity;
  const half = normalQuantile(0.5 + confidence / 2) * deviation;
  const value = 1 - ratio;
  return { value, interval: { low: value - half, high: Math.min(1, value + half) } };
}
