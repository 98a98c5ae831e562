import { normalQuantile } from "./normal-quantile.ts";
import type { SampleSummary } from "./sample-summary.ts";

/** What is expected of the two arms; the variance of a proportion is p(1 − p). */
export interface ExpectedEffect {
  readonly control: Pick<SampleSummary, "mean" | "variance">;
  readonly arm: Pick<SampleSummary, "mean" | "variance">;
  /** Two-sided error probability, default 0.05. */
  readonly alpha?: number;
  /** Probability of finding the effect, default 0.8. */
  readonly power?: number;
}

/**
 * Units each of two equal arms needs, for one look: (z₁₋α/₂ + z_power)²·(v₁ + v₂)/(m₂ − m₁)², rounded up.
 * @returns Infinity when there is no effect to find.
 */
export function unitsPerArm({ control, arm, alpha = 0.05, power = 0.8 }: ExpectedEffect): number {
  const z = normalQuantile(power) - normalQuantile(alpha / 2);
  return Math.ceil((z ** 2 * (control.variance + arm.variance)) / (arm.mean - control.mean) ** 2);
}
