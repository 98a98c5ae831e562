import type { SampleSummary } from "./sample-summary.ts";

/** Of units that count as 1 or 0: the variance is p(1 − p). */
export function proportionSummary(successes: number, count: number): SampleSummary {
  const mean = successes / count;
  return { count, mean, variance: count > 1 ? Math.max(0, mean * (1 - mean)) : NaN };
}
