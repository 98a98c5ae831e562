import type { LoadComparison, MetricComparison } from "../../core/load/load-comparison.ts";
import { withoutControls } from "../../core/without-controls.ts";
import { latencyText, rateText, shareText, timeText } from "./load-figures.ts";

/** Two load tests side by side, as a person reads them in a terminal. */
export function comparisonText(comparison: LoadComparison): string {
  const { before, after, metrics, statement, warnings } = comparison;
  const lines = [
    `first   ${before.name}, ${before.arrivals}, ${timeText(before.started)}`,
    `second  ${after.name}, ${after.arrivals}, ${timeText(after.started)}`,
    "",
    row(["", "first", "second", "change", "interval"], ""),
    ...metrics.map(metricLine),
    "",
    statement,
    "Intervals hold together with 95 %, for these two runs: repeat them to see how much runs differ.",
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
  return lines.map((line) => `${withoutControls(line).trimEnd()}\n`).join("");
}

const NAME_WIDTH = 12;
const CELL_WIDTH = 12;
const INTERVAL_WIDTH = 24;

function row([name = "", ...cells]: readonly string[], verdict: string): string {
  const texts = cells.map((cell, i) => cell.padStart(i === 3 ? INTERVAL_WIDTH : CELL_WIDTH));
  return `${name.padEnd(NAME_WIDTH)}${texts.join("")}  ${verdict}`;
}

const VERDICTS = { better: "better", worse: "worse", same: "no difference", unknown: "" } as const;

function metricLine(comparison: MetricComparison): string {
  const { metric, before, after, change, interval, verdict } = comparison;
  const text = TEXTS[metric];
  const unit = metric === "errors" ? " pp" : " %";
  return row(
    [
      metric,
      text(before),
      text(after),
      change === null ? "–" : changeText(change) + unit,
      interval === null
        ? "–"
        : `${changeText(interval.low)} to ${changeText(interval.high)}${unit}`,
    ],
    VERDICTS[verdict],
  );
}

const TEXTS = {
  p50: latencyText,
  p90: latencyText,
  p99: latencyText,
  throughput: rateText,
  errors: shareText,
} as const satisfies Record<MetricComparison["metric"], (value: number) => string>;

/** `+8.1`, `-0.42`, of a share. */
function changeText(share: number): string {
  const percent = Number((share * 100).toPrecision(3));
  return `${percent > 0 ? "+" : ""}${percent}`;
}
