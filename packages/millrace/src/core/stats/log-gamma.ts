/** Of C. Lanczos (SIAM Journal on Numerical Analysis 1, 1964), with g = 7 and nine terms. */
const G = 7;
const FIRST = 0.99999999999980993;
const COEFFICIENTS: readonly number[] = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];
const LOG_SQRT_2PI = 0.9189385332046728;

/**
 * Logarithm of the gamma function, to about 15 digits of the larger of 1 and the result.
 * @param x above 0; NaN otherwise.
 */
export function logGamma(x: number): number {
  if (!(x > 0)) return NaN;
  // Γ(x) = Γ(x + 1)/x: below ½ the approximation is not meant to be used.
  if (x < 0.5) return logGamma(x + 1) - Math.log(x);
  const z = x - 1;
  const base = z + G + 0.5;
  const sum = COEFFICIENTS.reduce((total, c, i) => total + c / (z + i + 1), FIRST);
  return LOG_SQRT_2PI + (z + 0.5) * Math.log(base) - base + Math.log(sum);
}
