import type { CapacityReport, KneePoint } from "../../core/load/capacity.ts";
import { latencyText, rateText } from "./load-figures.ts";
import { objectiveMarks } from "./objective-marks.ts";
import {
  chartNumber,
  type PageChart,
  type PageChartMark,
  type PageChartSeries,
} from "./page-chart.ts";

/** The knee: what comes out, and how late, by what goes in. Nothing where no rate was tried. */
export function capacityCharts(report: CapacityReport): PageChart[] {
  const points = report.curve
    .filter(({ phase }) => phase !== "cool-down" && phase !== "baseline")
    .toSorted((a, b) => a.rate - b.rate);
  if (points.length === 0) return [];
  const xs = points.map(({ rate }) => rate);
  const marks = rateMarks(report);
  const most = points.reduce((best, point) => Math.max(best, point.goodput), 0);
  return [
    {
      id: "goodput",
      title: "Goodput against offered rate",
      width: "half",
      summary: `At most ${rateText(most)} were answered well, at rates up to ${rateText(xs.at(-1) ?? 0)}.`,
      note: `The dashed line is all that was offered.${marks.some(({ until }) => until !== undefined) ? " The band is where the capacity lies." : ""}`,
      x: OFFERED,
      y: { unit: "rate", label: "Answered well", scale: "linear" },
      xs,
      series: [
        { label: "offered", color: "due", shape: "dashed", values: xs },
        ...knee("goodput", points, ({ goodput }) => goodput),
      ],
      marks,
    },
    {
      id: "knee",
      title: "p99 against offered rate",
      width: "half",
      summary: `The 99th percentile at each rate: ${points.map((point) => `${latencyText(point.p99_ms)} at ${rateText(point.rate)}`).join(", ")}.`,
      note: "Of response times, from the time requests were due.",
      x: OFFERED,
      y: { unit: "ms", label: "p99", scale: "log-or-linear" },
      xs,
      series: knee("p99", points, ({ p99_ms: p99Ms }) => p99Ms),
      marks: [...marks, ...limitMarks(report)],
    },
  ];
}

const OFFERED = { unit: "rate", label: "Offered", scale: "linear", from: 0 } as const;

/** A line through all points, and each as what it was: held, missed, or of no use. */
function knee(
  label: string,
  points: readonly KneePoint[],
  value: (point: KneePoint) => number,
): PageChartSeries[] {
  const some = (isMeant: (point: KneePoint) => boolean): (number | null)[] =>
    points.map((point) => (isMeant(point) ? chartNumber(value(point)) : null));
  const kinds: PageChartSeries[] = [
    { label: "held", color: "good", shape: "points", values: some(({ met }) => met) },
    {
      label: "missed",
      color: "bad",
      shape: "points",
      values: some(({ met, spoiled }) => !met && !spoiled),
    },
    {
      label: "generator too slow",
      color: "warn",
      shape: "points",
      values: some(({ spoiled }) => spoiled),
    },
  ];
  return [
    { label, color: "max", shape: "thin", values: some(() => true) },
    ...kinds.filter(({ values }) => values.some((each) => each !== null)),
  ];
}

function rateMarks({ outcome, rate, interval: { low, high } }: CapacityReport): PageChartMark[] {
  if (outcome === "none" || rate <= 0) return [];
  const found: PageChartMark = { axis: "x", at: rate, label: rateText(rate), color: "p90" };
  return high === null ? [found] : [{ ...found, at: low, until: high, label: "" }, found];
}

function limitMarks({ objectives }: CapacityReport): PageChartMark[] {
  const judged = objectives.map((objective) => ({ objective, met: false, found: "" }));
  return objectiveMarks(judged, ["p99"]);
}
