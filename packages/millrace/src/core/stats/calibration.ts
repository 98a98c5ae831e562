import { effectiveCount } from "./effective-count.ts";
import { CONFIDENCE, type Interval } from "./interval.ts";
import { wilsonInterval } from "./wilson-interval.ts";

/** Bins of equal width between 0 and 1. */
export const CALIBRATION_BINS = 10;

/** Sums over the rows of one bin. */
export interface BinSums {
  /** From 0: those with confidences of `index / CALIBRATION_BINS` and above; a confidence of 1 is in the last one. */
  readonly index: number;
  readonly count: number;
  /** Σw */
  readonly weight: number;
  /** Σw² */
  readonly weightSquares: number;
  /** Σw·confidence */
  readonly confidence: number;
  /** Σw of the rows that were right. */
  readonly right: number;
}

export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly weight: number;
  /** Mean. */
  readonly confidence: number;
  /** Share that was right. */
  readonly accuracy: number;
  readonly interval: Interval;
}

export interface Calibration {
  /** Those with rows. */
  readonly bins: readonly CalibrationBin[];
  /** Mean distance between confidence and share that was right, over the rows: ECE. */
  readonly expectedError: number;
}

/**
 * Does a classifier know how sure it may be? The reliability of the class it names, by its probability, and the expected
 * calibration error Σ(w/W)·|accuracy − confidence| (C. Guo et al., ICML 2017).
 * @returns undefined without rows.
 */
export function calibration(
  sums: readonly BinSums[],
  confidence = CONFIDENCE,
): Calibration | undefined {
  const total = sums.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) return undefined;
  const bins = sums
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => a.index - b.index)
    .map((bin) => {
      const accuracy = bin.right / bin.weight;
      const count = effectiveCount(bin.weight, bin.weightSquares);
      return {
        from: bin.index / CALIBRATION_BINS,
        to: (bin.index + 1) / CALIBRATION_BINS,
        count: bin.count,
        weight: bin.weight,
        confidence: bin.confidence / bin.weight,
        accuracy,
        interval: wilsonInterval(accuracy * count, count, confidence),
      };
    });
  const expectedError = bins.reduce(
    (sum, bin) => sum + (bin.weight / total) * Math.abs(bin.accuracy - bin.confidence),
    0,
  );
  return { bins, expectedError };
}
