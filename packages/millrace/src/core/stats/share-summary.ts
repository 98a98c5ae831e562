import { ratioSummary, type RatioSums } from "./ratio-summary.ts";
import type { SampleSummary } from "./sample-summary.ts";

/**
 * Of a ratio that lies between 0 and 1, and is often 0: errors of requests. It is `ratioSummary`, but its variance is at
 * least that of the same units with two more of usual size, one with errors only and one without (A. Agresti, B. Caffo, The
 * American Statistician 54, 2000): a thousand units without an error do not prove that there are none, and two arms without
 * an error can still be told to be alike.
 */
export function shareSummary(sums: RatioSums): SampleSummary {
  const plain = ratioSummary(sums);
  if (!(sums.count > 1 && sums.denominator > 0)) return plain;
  const usual = sums.denominator / sums.count;
  const { variance } = ratioSummary({
    count: sums.count + 2,
    numerator: sums.numerator + usual,
    denominator: sums.denominator + 2 * usual,
    numeratorSquares: sums.numeratorSquares + usual * usual,
    denominatorSquares: sums.denominatorSquares + 2 * usual * usual,
    products: sums.products + usual * usual,
  });
  return { ...plain, variance: Math.max(plain.variance, variance) };
}
