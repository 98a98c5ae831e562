import { normalQuantile } from "./normal-quantile.ts";
import { logGamma } from "./log-gamma.ts";
import { studentCdf } from "./student-cdf.ts";

const STEPS_MAX = 200;
const PRECISION = 1e-15;

/**
 * The value below which a variable of Student's distribution lies with probability `p`, to about 13 digits. Ask for the
 * lower tail where digits matter: 1 − p has fewer than p.
 * @param p 0 and 1 give ±Infinity, anything outside them NaN.
 * @param degrees of freedom, above 0, need not be whole; Infinity is the normal distribution.
 */
export function studentQuantile(p: number, degrees: number): number {
  if (!(p >= 0 && p <= 1) || !(degrees > 0)) return NaN;
  if (degrees === Infinity || p === 0 || p === 1) return normalQuantile(p);
  if (p === 0.5) return 0;
  return p < 0.5 ? -sizeOf(p, degrees) : sizeOf(1 - p, degrees);
}

/**
 * Newton's method for the logarithm of the tail as a function of the logarithm of t, which is nearly straight far out,
 * kept between bounds that are halved where it leads outside.
 */
function sizeOf(tail: number, degrees: number): number {
  let low = 0;
  let high = Infinity;
  let t = Math.max(firstGuess(tail, degrees), Number.MIN_VALUE);
  for (let step = 0; step < STEPS_MAX; step++) {
    const found = studentCdf(-t, degrees);
    if (found > tail) low = t;
    else high = t;
    const slope = (-t * studentDensity(t, degrees)) / found;
    const wanted = t * Math.exp((Math.log(tail) - Math.log(found)) / slope);
    const next = wanted > low && wanted < high ? wanted : between(low, high);
    if (Math.abs(next - t) <= PRECISION * t) return next;
    t = next;
  }
  return t;
}

function between(low: number, high: number): number {
  if (high === Infinity) return 2 * low;
  return low === 0 ? high / 2 : Math.sqrt(low) * Math.sqrt(high);
}

/** The first terms of the expansion of Cornish and Fisher (R. A. Fisher and E. A. Cornish, Technometrics 2, 1960). */
function firstGuess(tail: number, degrees: number): number {
  const z = -normalQuantile(tail);
  return z + (z ** 3 + z) / (4 * degrees);
}

function studentDensity(t: number, degrees: number): number {
  const half = degrees / 2;
  const scale = Math.exp(logGamma(half + 0.5) - logGamma(half)) / Math.sqrt(degrees * Math.PI);
  return scale * Math.exp(-(half + 0.5) * Math.log1p((t * t) / degrees));
}
