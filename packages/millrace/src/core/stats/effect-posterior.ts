import type { Difference } from "./difference.ts";
import { CONFIDENCE, type Interval } from "./interval.ts";
import { normalCdf } from "./normal-cdf.ts";
import { normalQuantile } from "./normal-quantile.ts";

export interface EffectPosterior {
  /** Credible interval. */
  readonly interval: Interval;
  /** Probability that the arm's mean is larger than that of the control arm. */
  readonly chance: number;
  /** What is lost on average, in the unit of the difference, by choosing the control arm or the arm, where more is better. */
  readonly risk: { readonly control: number; readonly arm: number };
}

const INVERSE_SQRT_2PI = 0.3989422804014327;

/**
 * What to believe of a difference when nothing was known before: the normal distribution of its value and standard error.
 * With z = value/se: chance Φ(z), risk of the control arm E[max(effect, 0)] = value·Φ(z) + se·φ(z), of the arm
 * E[max(−effect, 0)].
 * @returns undefined when the standard error is 0.
 */
export function effectPosterior(
  { value, standardError }: Difference,
  confidence = CONFIDENCE,
): EffectPosterior | undefined {
  if (!(standardError > 0)) return undefined;
  const z = value / standardError;
  const half = normalQuantile(0.5 + confidence / 2) * standardError;
  const density = standardError * INVERSE_SQRT_2PI * Math.exp(-0.5 * z * z);
  return {
    interval: { low: value - half, high: value + half },
    chance: normalCdf(z),
    risk: {
      control: Math.max(0, value * normalCdf(z) + density),
      arm: Math.max(0, density - value * normalCdf(-z)),
    },
  };
}
