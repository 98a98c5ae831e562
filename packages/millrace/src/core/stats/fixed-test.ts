import type { Difference } from "./difference.ts";
import { studentCdf } from "./student-cdf.ts";
import { studentQuantile } from "./student-quantile.ts";
import { SAYS_NOTHING, type TestResult } from "./test-result.ts";

/**
 * Welch's t-test, for one look at a sample whose size was fixed before: who looks again and again finds differences that
 * are not there.
 * @param alpha two-sided error probability, between 0 and 1
 * @returns an interval without ends, and 1, when the standard error is 0.
 */
export function fixedTest(difference: Difference, alpha: number): TestResult {
  const { value, standardError, degrees } = difference;
  if (!(standardError > 0)) return SAYS_NOTHING;
  const half = -studentQuantile(alpha / 2, degrees) * standardError;
  return {
    interval: { low: value - half, high: value + half },
    pValue: 2 * studentCdf(-Math.abs(value / standardError), degrees),
  };
}
