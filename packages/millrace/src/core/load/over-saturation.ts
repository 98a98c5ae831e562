import { summaryOf } from "../stats/sample-summary.ts";
import { studentQuantile } from "../stats/student-quantile.ts";
import { thirdsOf } from "./thirds.ts";

/** What a window has to tell. */
export interface QueueWindow {
  /** At the end of the window. */
  readonly under_way: number;
  readonly p50_ms: number;
}

/** Fewer have too few increments to judge by. */
const SATURATION_WINDOWS_MIN = 6;

/** Confidence of each of the two intervals. */
const CONFIDENCE = 0.99;

/** By how much the last third exceeds the first one, at the least. */
const GROWTH_MIN = 1.5;

/**
 * Is more asked for than is answered? Then both the requests under way and their latency grow from window to window, for
 * as long as it lasts.
 *
 * A queue that is filled faster than it is emptied is a random walk upwards: its increments from window to window are
 * independent, and their mean is what is too much. So the question is whether that mean is above 0, by Student's interval
 * of the increments. Of a queue that is full but stable the increments undo each other, and the interval, which does not
 * know, is too wide: it errs on the side of going on. A line fitted through the values would err on the other one, as
 * neighbouring values are not independent.
 *
 * @param windows of equal length, one after the other.
 */
export function isOversaturated(windows: readonly QueueWindow[]): boolean {
  if (windows.length < SATURATION_WINDOWS_MIN) return false;
  return (
    grows(windows.map(({ under_way }) => under_way)) && grows(windows.map(({ p50_ms }) => p50_ms))
  );
}

function grows(values: readonly number[]): boolean {
  const [first, , last] = thirdsOf(values);
  if (!(mean(last) >= GROWTH_MIN * mean(first))) return false;
  const increments = values.slice(1).map((value, i) => value - (values[i] as number));
  const sums = { count: increments.length, sum: 0, squares: 0 };
  for (const increment of increments) {
    sums.sum += increment;
    sums.squares += increment * increment;
  }
  const { count, mean: drift, variance } = summaryOf(sums);
  const width = studentQuantile(0.5 + CONFIDENCE / 2, count - 1) * Math.sqrt(variance / count);
  return drift > width;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
