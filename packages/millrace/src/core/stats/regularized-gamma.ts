import { continuedFraction } from "./continued-fraction.ts";
import { deviance } from "./deviance.ts";
import { stirlingError } from "./stirling-error.ts";

/** Of the series; it needs some √a. */
const TERMS_MAX = 1_000_000;

/**
 * The upper regularized incomplete gamma function Q(a, x): the probability that a gamma variable of shape `a` lies above
 * `x`, to about 13 digits. Series and continued fraction of NIST DLMF 8.7.1 and 8.9.2.
 * @param a above 0
 * @param x at least 0
 */
export function regularizedGammaUpper(a: number, x: number): number {
  if (!(a > 0 && x >= 0)) return NaN;
  if (x === 0) return 1;
  if (x === Infinity) return 0;
  return x < a + 1 ? 1 - lowerBySeries(a, x) : upperByFraction(a, x);
}

function lowerBySeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n <= TERMS_MAX; n++) {
    term *= x / (a + n);
    const next = sum + term;
    if (next === sum) return density(a, x) * sum;
    sum = next;
  }
  return NaN;
}

function upperByFraction(a: number, x: number): number {
  const fraction = continuedFraction(x + 1 - a, (term, n) => {
    term.above = -n * (n - a);
    term.below = x + 1 - a + 2 * n;
  });
  return density(a, x) / fraction;
}

/** xᵃe⁻ˣ / Γ(a) */
function density(a: number, x: number): number {
  return Math.sqrt(a / (2 * Math.PI)) * Math.exp(-stirlingError(a) - deviance(a, x));
}
