import type { VegetaMetrics } from "../../core/load/load-report.ts";
import { alignColumns } from "./align-columns.ts";
import { formatFixed } from "./format-fixed.ts";
import { formatGoDuration } from "./format-go-duration.ts";

/** Length of the bar of all results. */
const BAR = 75;

/** vegeta's report `hist[…]` of metrics with buckets; of no results, its head alone. */
export function histogramReport({ buckets = {}, requests }: VegetaMetrics): string {
  const entries = requests === 0 ? [] : Object.entries(buckets);
  const bounds = entries.map(([ns]) => formatGoDuration(Number(ns)));
  const rows = entries.map(([, count], i) => {
    const share = count / requests;
    const bar = "#".repeat(Math.trunc(share * BAR));
    return `[${bounds[i] ?? ""},\t${bounds[i + 1] ?? "+Inf"}]\t${count}\t${formatFixed(share * 100, 2)}%\t${bar}`;
  });
  return alignColumns(["Bucket\t\t#\t%\tHistogram", ...rows]);
}
