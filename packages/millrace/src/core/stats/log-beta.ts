import { stirlingError } from "./stirling-error.ts";

/**
 * Logarithm of the beta function B(a, b), to about 15 digits of the larger of 1 and the result; the difference of three
 * `logGamma` would keep those of ln Γ(a + b) only.
 * @param a above 0
 * @param b above 0
 */
export function logBeta(a: number, b: number): number {
  const n = a + b;
  const powers = a * logShare(a, b) + b * logShare(b, a);
  const root = 0.5 * Math.log((2 * Math.PI * n) / (a * b));
  return powers + root + stirlingError(a) + stirlingError(b) - stirlingError(n);
}

/** ln(a/(a + b)) */
function logShare(a: number, b: number): number {
  return a > b ? Math.log1p(-b / (a + b)) : Math.log(a / (a + b));
}
