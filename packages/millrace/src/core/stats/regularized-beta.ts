import { continuedFraction } from "./continued-fraction.ts";
import { deviance } from "./deviance.ts";
import { stirlingError } from "./stirling-error.ts";

/**
 * The regularized incomplete beta function Iₓ(a, b): the probability that a Beta(a, b) variable lies below `x`, to about
 * 13 digits where it is the smaller tail; the other tail is I₁₋ₓ(b, a). Continued fraction of NIST DLMF 8.17.22.
 * @param x from 0 to 1
 * @param a above 0
 * @param b above 0
 * @param rest 1 − x, for callers that know it better than the subtraction does
 */
export function regularizedBeta(x: number, a: number, b: number, rest = 1 - x): number {
  if (!(a > 0 && b > 0 && x >= 0 && rest >= 0)) return NaN;
  if (x === 0) return 0;
  if (rest === 0) return 1;
  // Each form converges fast on its own side of the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - lowerTail({ x: rest, rest: x, a: b, b: a });
  return lowerTail({ x, rest, a, b });
}

interface Arguments {
  readonly x: number;
  readonly rest: number;
  readonly a: number;
  readonly b: number;
}

/** The even part of the fraction, in which 1 − x is never made from x (A. R. DiDonato, A. H. Morris, ACM Algorithm 708, 1992). */
function lowerTail({ x, rest, a, b }: Arguments): number {
  const lambda = a * rest - b * x;
  const below = (m: number): number =>
    m +
    (m * (b - m) * x) / (a + 2 * m - 1) +
    ((a + m) * (lambda + 1 + m * (1 + rest))) / (a + 2 * m + 1);
  const fraction = continuedFraction((a * (lambda + 1)) / (a + 1), (term, m) => {
    term.above = ((a + m - 1) * (a + b + m - 1) * m * (b - m) * x * x) / (a + 2 * m - 1) ** 2;
    term.below = below(m);
  });
  return density({ x, rest, a, b }) / fraction;
}

/** xᵃ(1 − x)ᵇ / B(a, b) */
function density({ x, rest, a, b }: Arguments): number {
  const n = a + b;
  const exponent =
    stirlingError(n) -
    stirlingError(a) -
    stirlingError(b) -
    deviance(a, n * x) -
    deviance(b, n * rest);
  return Math.sqrt((a / n) * (b / (2 * Math.PI))) * Math.exp(exponent);
}
