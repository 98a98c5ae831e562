import { chiSquaredSurvival } from "./chi-squared-survival.ts";

export interface SampleRatioResult {
  /** Σ(observed − expected)² / expected */
  readonly statistic: number;
  readonly pValue: number;
  /** Units each arm should have. */
  readonly expected: readonly number[];
}

/**
 * Pearson's chi-squared test of units against the weights of their arms, for one look: whoever looks 200 times for p below
 * 0.001 finds 1.8 % of sound splits broken, and `sequentialSplitTest` does not. It finds big faults only: of a loss of 1 %
 * in one of two equal arms it says something from 430,000 units on.
 * @param counts units of each arm
 * @param weights of each arm, in any unit; an arm of weight 0 must have no units
 * @returns p = 1 when there are no units, or fewer than two arms that may have some.
 */
export function sampleRatioTest(
  counts: readonly number[],
  weights: readonly number[],
): SampleRatioResult {
  const units = sumOf(counts);
  const weight = sumOf(weights);
  const expected = weights.map((share) => (share / weight) * units);
  const statistic = sumOf(expected.map((wanted, i) => distance(counts[i] ?? 0, wanted)));
  const degrees = weights.filter((share) => share > 0).length - 1;
  if (units === 0) return { statistic: 0, pValue: 1, expected };
  if (degrees < 1) return { statistic, pValue: statistic > 0 ? 0 : 1, expected };
  return { statistic, pValue: chiSquaredSurvival(statistic, degrees), expected };
}

function distance(observed: number, expected: number): number {
  return observed === expected ? 0 : (observed - expected) ** 2 / expected;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
