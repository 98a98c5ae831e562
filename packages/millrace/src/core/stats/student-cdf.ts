import { normalCdf } from "./normal-cdf.ts";
import { regularizedBeta } from "./regularized-beta.ts";

/**
 * Probability that a variable of Student's distribution lies below `t`, to about 13 digits of the smaller tail.
 * @param degrees of freedom, above 0, need not be whole; Infinity is the normal distribution.
 */
export function studentCdf(t: number, degrees: number): number {
  if (Number.isNaN(t) || !(degrees > 0)) return NaN;
  if (degrees === Infinity) return normalCdf(t);
  if (!Number.isFinite(t)) return t < 0 ? 0 : 1;
  const square = t * t;
  const rest = square / (degrees + square);
  const tail = 0.5 * regularizedBeta(degrees / (degrees + square), degrees / 2, 0.5, rest);
  return t < 0 ? tail : 1 - tail;
}
