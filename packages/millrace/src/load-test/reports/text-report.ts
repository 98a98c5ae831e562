import { withoutControls } from "../../core/without-controls.ts";
import type { VegetaMetrics } from "../../core/load/load-report.ts";
import { alignColumns } from "./align-columns.ts";
import { formatFixed } from "./format-fixed.ts";
import { formatGoDuration, roundGoDuration } from "./format-go-duration.ts";

/** vegeta's text report, byte by byte; only control characters of error texts are dots, for they would reach a terminal. */
export function textReport(metrics: VegetaMetrics): string {
  const { latencies, bytes_in: bytesIn, bytes_out: bytesOut } = metrics;
  const { min, mean, max } = latencies;
  return alignColumns([
    `Requests\t[total, rate, throughput]\t${metrics.requests}, ${fixed(metrics.rate)}, ${fixed(metrics.throughput)}`,
    `Duration\t[total, attack, wait]\t${durations(metrics.duration + metrics.wait, metrics.duration, metrics.wait)}`,
    `Latencies\t[min, mean, 50, 90, 95, 99, max]\t${durations(min, mean, latencies["50th"], latencies["90th"], latencies["95th"], latencies["99th"], max)}`,
    `Bytes In\t[total, mean]\t${bytesIn.total}, ${fixed(bytesIn.mean)}`,
    `Bytes Out\t[total, mean]\t${bytesOut.total}, ${fixed(bytesOut.mean)}`,
    `Success\t[ratio]\t${fixed(metrics.success * 100)}%`,
    `Status Codes\t[code:count]\t${codeCounts(metrics.status_codes)}`,
    "Error Set:",
    ...metrics.errors.map(withoutControls),
  ]);
}

function fixed(value: number): string {
  return formatFixed(value, 2);
}

/** @param ns nanoseconds. */
function durations(...ns: readonly number[]): string {
  return ns.map((one) => formatGoDuration(roundGoDuration(one))).join(", ");
}

/** In the order of the codes as texts; each is followed by two spaces, the last one too. */
function codeCounts(codes: VegetaMetrics["status_codes"]): string {
  return Object.keys(codes)
    .sort()
    .map((code) => `${code}:${codes[code] ?? 0}  `)
    .join("");
}
