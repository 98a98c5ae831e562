import { logGamma } from "./log-gamma.ts";

const LOG_SQRT_2PI = 0.9189385332046728;
/** From here on the first seven terms of the series are exact to the last digit. */
const SERIES_MIN = 16;
/** Of 1/n, 1/n³, 1/n⁵, …: B₂ₖ / (2k(2k − 1)). */
const SERIES: readonly number[] = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360360,
  1 / 156,
];

/**
 * What Stirling's formula leaves out: ln Γ(n + 1) − ln(√(2πn)·(n/e)ⁿ). Powers and gamma functions of large numbers cancel;
 * written with this, what is left of them keeps its digits (C. Loader, Fast and Accurate Computation of Binomial
 * Probabilities, 2000).
 * @param n above 0
 */
export function stirlingError(n: number): number {
  if (n < SERIES_MIN) return logGamma(n + 1) - (n + 0.5) * Math.log(n) + n - LOG_SQRT_2PI;
  const inverse = 1 / n;
  const square = inverse * inverse;
  return inverse * SERIES.reduceRight((sum, coefficient) => sum * square + coefficient, 0);
}
