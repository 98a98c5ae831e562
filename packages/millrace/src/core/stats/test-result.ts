import type { Interval } from "./interval.ts";

/** What a test says of a difference. */
export interface TestResult {
  /** Of the confidence 1 − alpha. */
  readonly interval: Interval;
  /** Two-sided, of no difference. */
  readonly pValue: number;
}

/** Of a difference whose standard error is not known, or 0: no variance seen yet is not certainty. */
export const SAYS_NOTHING: TestResult = {
  interval: { low: -Infinity, high: Infinity },
  pValue: 1,
};
