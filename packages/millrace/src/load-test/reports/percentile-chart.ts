import { HdrHistogram } from "../../core/stats/hdr-histogram.ts";
import type { LoadReport, Spread } from "../../core/load/load-report.ts";
import { latencyText } from "./load-figures.ts";
import { objectiveMarks } from "./objective-marks.ts";
import { chartNumber, type PageChart } from "./page-chart.ts";

/** Points for each tenth part of the requests that are left. */
const POINTS_PER_DECADE = 40;

/** Of the service time, which has no histogram, what its spread has. */
const SERVICE_FIGURES = [
  [0.5, "p50_ms"],
  [0.9, "p90_ms"],
  [0.95, "p95_ms"],
  [0.99, "p99_ms"],
  [0.999, "p999_ms"],
  [0.9999, "p9999_ms"],
] as const satisfies readonly (readonly [number, keyof Spread])[];

/**
 * How slow the slowest ones are: response time by percentile, on an axis where each step to the right leaves a tenth of
 * the requests, to the last one. Undefined where nothing was measured.
 */
export function percentileChart({ millrace: facts }: LoadReport): PageChart | undefined {
  const histogram = HdrHistogram.from(facts.histogram);
  if (histogram.count === 0) return undefined;
  const service = new Map(
    SERVICE_FIGURES.filter(([share]) => facts.service.count * (1 - share) >= 1).map(
      ([share, key]) => [leftOf(share), chartNumber(facts.service[key])],
    ),
  );
  const points = Math.ceil(Math.log10(histogram.count) * POINTS_PER_DECADE);
  const even = Array.from({ length: points }, (_, at) => 10 ** (at / POINTS_PER_DECADE));
  const xs = [...new Set([...even, ...service.keys(), histogram.count])].toSorted((a, b) => a - b);
  const { p50_ms: p50Ms, p99_ms: p99Ms, p999_ms: p999Ms, max_ms: maxMs } = facts.response;
  return {
    id: "percentiles",
    title: "Response time by percentile",
    width: "half",
    summary: `Half of the requests took up to ${latencyText(p50Ms)}, 99 % up to ${latencyText(p99Ms)}, 99.9 % up to ${latencyText(p999Ms)}, the slowest ${latencyText(maxMs)}.`,
    note: "Each step to the right leaves a tenth of the requests. From the send: without the lag of the generator.",
    x: { unit: "percentile", label: "Percentile", scale: "log" },
    y: {
      unit: "ms",
      label: "Response time",
      scale: maxMs > 25 * p50Ms ? "log-or-linear" : "linear-or-log",
    },
    xs: xs.map((x) => Number(x.toPrecision(6))),
    series: [
      {
        label: "from due",
        color: "p99",
        shape: "line",
        values: xs.map((x) => chartNumber(histogram.quantile(1 - 1 / x) / 1000)),
      },
      {
        label: "from the send",
        color: "p50",
        shape: "points",
        values: xs.map((x) => service.get(x) ?? null),
      },
    ],
    marks: objectiveMarks(facts.objectives, ["p50", "p90", "p95", "p99", "p99.9", "p99.99", "max"]),
  };
}

/** Of how many one is slower. */
function leftOf(share: number): number {
  return Math.round(1 / (1 - share));
}
