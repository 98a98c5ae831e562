import { normalQuantile } from "./normal-quantile.ts";
import type { SampleSummary } from "./sample-summary.ts";

export interface ThompsonOptions {
  readonly goal: "increase" | "decrease";
  /** 0 ≤ number < 1. The core has no randomness of its own. */
  readonly random: () => number;
  /** Share that every arm keeps, default 0.01; below 1 / arms. */
  readonly floor?: number;
  /** Default 10,000: a weight is then known to about 0.01. */
  readonly draws?: number;
  /** Default 100: with fewer in any arm all weights are equal. */
  readonly unitsMin?: number;
}

/**
 * Weights of arms by the probability that each is the best, which sends more units to better arms as more is known
 * (W. R. Thompson, Biometrika 25, 1933): draws from the normal distribution of each arm's mean, the share w in which it was
 * best, and floor + (1 − arms·floor)·w, so that every arm stays measurable.
 * @param arms of units whose outcome is known; what is pending is no failure
 * @returns a weight for each; they add up to 1.
 */
export function thompsonWeights(
  arms: readonly SampleSummary[],
  { goal, random, floor = 0.01, draws = 10_000, unitsMin = 100 }: ThompsonOptions,
): number[] {
  if (!arms.every(({ count, variance }) => count >= unitsMin && variance >= 0)) {
    return arms.map(() => 1 / arms.length);
  }
  const sign = goal === "increase" ? 1 : -1;
  const means = arms.map(({ mean }) => sign * mean);
  const errors = arms.map(({ variance, count }) => Math.sqrt(variance / count));
  const wins = new Array<number>(arms.length).fill(0);
  const drawn = new Float64Array(arms.length);
  for (let i = 0; i < draws; i++) {
    means.forEach((mean, arm) => {
      // 0 has no quantile.
      drawn[arm] = mean + (errors[arm] as number) * normalQuantile(random() || 0.5);
    });
    const best = indexOfLargest(drawn);
    wins[best] = (wins[best] as number) + 1;
  }
  return wins.map((won) => floor + (1 - arms.length * floor) * (won / draws));
}

function indexOfLargest(values: Float64Array): number {
  return values.reduce((best, value, i) => (value > (values[best] as number) ? i : best), 0);
}
