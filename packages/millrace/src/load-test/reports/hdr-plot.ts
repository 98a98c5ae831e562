import { alignColumns } from "./align-columns.ts";
import { formatFixed } from "./format-fixed.ts";

/** Rows from one quantile to the one that is half as far from 1. */
const ROWS_PER_HALF = 5;
/** Digits behind the point of the quantiles; the last one before 1 is 0.999999. */
const DIGITS = 6;

/** What stands for 1 / (1 − 1). */
const AT_THE_END = 10_000_000;

/**
 * vegeta's report `hdrplot`, which HdrHistogram's plotter reads.
 * @param quantileNs latency in ns that a share of the requests does not exceed.
 */
export function hdrPlot(requests: number, quantileNs: (share: number) => number): string {
  const rows = plottedShares().map((share) => {
    const ns = Math.trunc(quantileNs(share));
    const valueMs = Math.trunc(ns / 1e6) + (ns % 1e6) / 1e6;
    const count = Math.trunc(share * requests + 0.5);
    const inverse = share < 1 ? 1 / (1 - share) : AT_THE_END;
    return [six(valueMs), six(share), count, six(inverse)].join("\t");
  });
  return alignColumns(["Value(ms)\tPercentile\tTotalCount\t1/(1-Percentile)", ...rows]);
}

/** The shares that vegeta plots, from 0 to 1: ever closer, each with six digits, none twice. */
export function plottedShares(): readonly number[] {
  const shares = new Set<number>();
  for (let half = 1; half > 10 ** -DIGITS / 2; half /= 2) {
    for (let row = 0; row < ROWS_PER_HALF; row++) {
      const share = Number(six(1 - half + (row * half) / 2 / ROWS_PER_HALF));
      if (share < 1) shares.add(share);
    }
  }
  return [...shares, 1];
}

function six(value: number): string {
  return formatFixed(value, DIGITS);
}
