import type { PhaseSums } from "../core/experiment/metric-sums.ts";
import type { ResultRow } from "../evaluation/result-rows.ts";

/** Requests whose units are all summed; of more it is a share of the units. */
const REQUESTS_MAX = 2_000_000;

/**
 * Of how many units one is summed: a power of two. To bring together all requests of ten million units takes longer than all
 * the rest; how much units differ is known from two million as well, and totals are counted, not estimated.
 */
export function sampledOneOf(requestCount: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(requestCount / REQUESTS_MAX)));
}

/**
 * The sums of all units: squares and products as those of a share of them tell, totals as they were counted.
 * @param totals rows by `phase`, `arm` and class of latency.
 * @param countOf what a row adds to the total of the metric.
 */
export function wholeSums(
  sums: readonly PhaseSums[],
  oneOf: number,
  totals: readonly ResultRow[],
  countOf: (row: ResultRow) => number,
): readonly PhaseSums[] {
  if (oneOf === 1) return sums;
  return sums.map(({ phase, arms }) => ({
    phase,
    arms: arms.map(({ units, yy, xx, xy }, index) => {
      const own = totals.filter(
        (row) => row.number("phase") === phase && row.number("arm") === 1 << index,
      );
      const total = (of: (row: ResultRow) => number): number =>
        own.reduce((sum, row) => sum + of(row), 0);
      return {
        units: units * oneOf,
        y: total(countOf),
        x: total((row) => row.number("count")),
        yy: yy * oneOf,
        xx: xx * oneOf,
        xy: xy * oneOf,
      };
    }),
  }));
}
