/** What a comparison has to know of the units of one arm. */
export interface SampleSummary {
  /** Units. */
  readonly count: number;
  readonly mean: number;
  /** Of one unit: the mean has the standard error √(variance/count). NaN of fewer than two units. */
  readonly variance: number;
}

/** Sums over units of what each counts as. */
export interface SampleSums {
  readonly count: number;
  /** Σx */
  readonly sum: number;
  /** Σx² */
  readonly squares: number;
}

/** Of any numbers: the variance is (Σx² − (Σx)²/n) / (n − 1). */
export function summaryOf({ count, sum, squares }: SampleSums): SampleSummary {
  const variance = (squares - (sum * sum) / count) / (count - 1);
  // Rounding may lead a hair below 0; Math.max keeps the NaN of 0/0.
  return { count, mean: sum / count, variance: count > 1 ? Math.max(0, variance) : NaN };
}
