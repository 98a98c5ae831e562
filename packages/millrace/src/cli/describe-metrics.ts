import type { MetricComparison, MetricReport } from "../core/experiment/experiment-report.ts";
import type { MetricSource } from "../core/experiment/metric.ts";
import {
  countFigure,
  figure,
  percentFigure,
  pointsFigure,
  pValueFigure,
  signedFigure,
} from "./figures.ts";
import { intervalPicture } from "./interval-picture.ts";
import { painted, type TerminalStyle } from "./terminal-style.ts";
import { tableText } from "./table-text.ts";

/** Most characters of an axis. */
const CELLS_MAX = 41;
const CELLS_MIN = 11;

/** Narrow terminals lose columns from the right. */
const COLUMNS = [
  { name: "metric", isRight: false },
  { name: "arm", isRight: false },
  { name: "state", isRight: false },
  { name: "difference", isRight: true },
  { name: "interval", isRight: true },
  { name: "p", isRight: true },
  { name: "relative", isRight: true },
  { name: "control", isRight: true },
  { name: "mean", isRight: true },
  { name: "units", isRight: true },
  { name: "role", isRight: false },
  { name: "CUPED", isRight: true },
];

/** Every comparison as a row. */
export function metricTable(
  metrics: readonly MetricReport[],
  control: string,
  { tableWidth: width }: TerminalStyle,
): string {
  const rows = comparisonsOf(metrics).map(({ metric, comparison }) => {
    const { source, role, arms } = metric;
    const { arm, difference, relative, interval, state } = comparison;
    const [own, other] = [arm, control].map((name) => arms.find((one) => one.arm === name));
    const p = comparison.adjustedPValue ?? comparison.pValue;
    const reduced = comparison.varianceReduction;
    return [
      metric.name,
      arm,
      state.replace("_", " "),
      known(difference, differenceFigure(source)),
      interval === undefined ? "" : intervalText(interval, differenceFigure(source)),
      known(p, pValueFigure),
      relative === undefined ? "" : `${relative > 0 ? "+" : ""}${percentFigure(relative)}`,
      known(other?.mean, meanFigure(source)),
      known(own?.mean, meanFigure(source)),
      known(own?.units, countFigure),
      role,
      known(reduced, (share) => `-${percentFigure(share)}`),
    ];
  });
  const shown = COLUMNS.flatMap((_, column) =>
    rows.some((row) => row[column] !== "") ? column : [],
  );
  const columns = COLUMNS.filter((_, column) => shown.includes(column));
  const cells = rows.map((row) => row.filter((_, column) => shown.includes(column)));
  return tableText(columns, cells, { width });
}

/** Every interval on an axis of its own, with no difference in the middle. */
export function metricPictures(
  metrics: readonly MetricReport[],
  style: TerminalStyle,
): readonly string[] {
  const drawn = comparisonsOf(metrics).flatMap(({ metric, comparison }) => {
    const { interval, difference, arm } = comparison;
    if (interval === undefined || difference === undefined) return [];
    const text = differenceFigure(metric.source);
    const low = interval.low ?? null;
    const high = interval.high ?? null;
    return [
      {
        name: `${metric.name} ${arm}`,
        low: low === null ? "" : text(low),
        high: high === null ? "" : text(high),
        interval: { low, value: difference, high },
        comparison,
      },
    ];
  });
  const nameWidth = Math.min(28, widest(drawn.map(({ name }) => name)));
  const lowWidth = widest(drawn.map(({ low }) => low));
  const highWidth = widest(drawn.map(({ high }) => high));
  const free = style.width - nameWidth - lowWidth - highWidth - 4;
  const most = Math.max(CELLS_MIN, Math.min(CELLS_MAX, free));
  const cells = most % 2 === 0 ? most - 1 : most;
  return drawn.map(({ name, low, high, interval, comparison }) => {
    const picture = intervalPicture(interval, { cells, isUnicode: style.isUnicode });
    const shown = painted(picture, colorOf(comparison), style);
    const label = Array.from(name).slice(0, nameWidth).join("").padEnd(nameWidth);
    return `${label} ${low.padStart(lowWidth)} ${shown} ${high}`.trimEnd();
  });
}

function comparisonsOf(metrics: readonly MetricReport[]) {
  return metrics.flatMap((metric) =>
    metric.comparisons.map((comparison) => ({ metric, comparison })),
  );
}

function colorOf({ state }: MetricComparison): "green" | "red" | undefined {
  if (state === "better" || state === "safe") return "green";
  return state === "worse" || state === "regressed" ? "red" : undefined;
}

/** Is a unit or a prediction either counted or not, so that a mean is a share? */
function isShare(source: MetricSource): boolean {
  return source.kind !== "event" || source.aggregate === "converted";
}

function meanFigure(source: MetricSource): (mean: number) => string {
  return isShare(source) ? percentFigure : figure;
}

function differenceFigure(source: MetricSource): (difference: number) => string {
  return isShare(source) ? pointsFigure : signedFigure;
}

/** What is open has no figure. */
function intervalText(
  interval: NonNullable<MetricComparison["interval"]>,
  text: (value: number) => string,
): string {
  const low = interval.low ?? undefined;
  const high = interval.high ?? undefined;
  if (low !== undefined && high !== undefined) return `${text(low)} … ${text(high)}`;
  if (low !== undefined) return `at least ${text(low)}`;
  return high === undefined ? "" : `at most ${text(high)}`;
}

function known(value: number | undefined, text: (value: number) => string): string {
  return value === undefined ? "" : text(value);
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, text.length), 0);
}
