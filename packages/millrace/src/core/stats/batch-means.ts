import { summaryOf } from "./sample-summary.ts";

/** A mean of values that depend on the ones before them. */
export interface BatchMeans {
  readonly mean: number;
  /** NaN of fewer than two values. */
  readonly standardError: number;
  /** Batches less one. */
  readonly degrees: number;
  /** Values of a batch: those farther apart hardly depend on each other. */
  readonly length: number;
}

/** Fewer say nothing about their scatter: 10 to 30 are usual (B. Schmeiser, Operations Research 30, 1982). */
const BATCHES_MIN = 8;

/**
 * The mean of a series, and how far to trust it. Values of a time series resemble their neighbours, so their scatter
 * makes the mean look better known than it is. Means of batches resemble each other less: batches are doubled until the
 * correlation of neighbours is within what chance makes of none (one standard error, 1/√n), as long as enough are left
 * (G. S. Fishman, Operations Research 26, 1978).
 */
export function batchMeans(values: readonly number[]): BatchMeans {
  let batches = values;
  let length = 1;
  while (
    batches.length >= 2 * BATCHES_MIN &&
    correlation(batches) > 1 / Math.sqrt(batches.length)
  ) {
    batches = pairMeans(batches);
    length *= 2;
  }
  const { count, mean, variance } = summarise(batches);
  return { mean, standardError: Math.sqrt(variance / count), degrees: count - 1, length };
}

function summarise(values: readonly number[]) {
  let sum = 0;
  let squares = 0;
  // Around the first value: squares of large values that hardly differ would cancel out to noise.
  const origin = values[0] ?? 0;
  for (const value of values) {
    sum += value - origin;
    squares += (value - origin) ** 2;
  }
  const summary = summaryOf({ count: values.length, sum, squares });
  return { ...summary, mean: summary.mean + origin };
}

/** Of neighbours: Σ(xᵢ − m)(xᵢ₊₁ − m) / Σ(xᵢ − m)²; 0 where nothing varies. */
function correlation(values: readonly number[]): number {
  const { mean } = summarise(values);
  let products = 0;
  let squares = 0;
  for (const [i, value] of values.entries()) {
    const next = values[i + 1];
    if (next !== undefined) products += (value - mean) * (next - mean);
    squares += (value - mean) ** 2;
  }
  return squares > 0 ? products / squares : 0;
}

/** The first value is left out where they are odd. */
function pairMeans(values: readonly number[]): readonly number[] {
  const odd = values.length % 2;
  return Array.from(
    { length: (values.length - odd) / 2 },
    (_, i) => ((values[odd + 2 * i] as number) + (values[odd + 2 * i + 1] as number)) / 2,
  );
}
