import { normalCdf } from "./normal-cdf.ts";

/** Units that did it, of all units of an arm. */
export interface Proportion {
  readonly successes: number;
  readonly count: number;
}

export interface TwoProportionResult {
  /** The difference, arm less control, in standard errors. */
  readonly z: number;
  /** Two-sided. */
  readonly pValue: number;
}

/**
 * The z-test of two proportions, for one look at a sample whose size was fixed before.
 *
 * pooled: z = (p₂ − p₁)/√(p(1 − p)(1/n₁ + 1/n₂)), p of both arms together, as if there were no difference
 * unpooled: z = (p₂ − p₁)/√(p₁(1 − p₁)/n₁ + p₂(1 − p₂)/n₂), as confidence intervals have it
 *
 * @returns z = 0, p = 1 when nothing varies.
 */
export function twoProportionTest(
  control: Proportion,
  arm: Proportion,
  variance: "pooled" | "unpooled" = "pooled",
): TwoProportionResult {
  const first = control.successes / control.count;
  const second = arm.successes / arm.count;
  const both = (control.successes + arm.successes) / (control.count + arm.count);
  const squared =
    variance === "pooled"
      ? both * (1 - both) * (1 / control.count + 1 / arm.count)
      : (first * (1 - first)) / control.count + (second * (1 - second)) / arm.count;
  if (!(squared > 0)) return { z: 0, pValue: 1 };
  const z = (second - first) / Math.sqrt(squared);
  return { z, pValue: 2 * normalCdf(-Math.abs(z)) };
}
