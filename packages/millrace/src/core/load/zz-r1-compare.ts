import { batchMeans } from "../stats/batch-means.ts";
import { blockJackknife, type JackknifeError } from "../stats/block-jackknife.ts";
import type { Interval } from "../stats/interval.ts";
import { seriesCorrelation } from "./zz-series-correlation.ts";
import { studentQuantile } from "../stats/student-quantile.ts";
import { comparisonStatement } from "./comparison-statement.ts";
import { comparisonWarnings } from "./comparison-warnings.ts";
import type { ComparedLoad, LoadComparison, MetricComparison } from "./load-comparison.ts";
import type { LoadFacts, LoadReport, LoadWindow } from "./load-report.ts";
import { logQuantileOf } from "./window-mixture.ts";

/** Of all intervals together: each one is made for a fifth of what that leaves (C. E. Bonferroni, 1936). */
const CONFIDENCE = 0.95;

/** Fewer windows say nothing of how much they scatter. */
const WINDOWS_MIN = 8;

/** Nor do windows that resemble each other so much that they tell no more than so many independent ones would. */
const INDEPENDENT_MIN = 6;

/** Percentiles that windows have, and the names they have in a report. */
const LATENCIES = [
  { metric: "p50", key: "p50_ms", share: 0.5 },
  { metric: "p90", key: "p90_ms", share: 0.9 },
  { metric: "p99", key: "p99_ms", share: 0.99 },
] as const;

const METRICS = LATENCIES.length + 2;

/**
 * Compares two load tests. How far a figure can be trusted comes from how it differs over the windows of its own run, in
 * blocks so long that they do not depend on each other. How runs differ from each other they cannot tell.
 */
export function compareLoads(before: LoadReport, after: LoadReport): LoadComparison {
  const runs = [before.millrace, after.millrace] as const;
  const metrics = [
    ...LATENCIES.map((latency) => compareLatency(latency, runs)),
    compareThroughput(runs),
    compareErrors(runs),
  ];
  return {
    format: 1,
    before: comparedLoad(before.millrace),
    after: comparedLoad(after.millrace),
    metrics,
    statement: comparisonStatement(metrics),
    warnings: comparisonWarnings(before.millrace, after.millrace),
  };
}

type Runs = readonly [before: LoadFacts, after: LoadFacts];

interface Estimate {
  /** In the metric's own unit. */
  readonly value: number;
  /** Of the logarithm of a latency or of the throughput; of a share itself. */
  readonly error: JackknifeError | undefined;
}

function comparedLoad({ name, started, arrivals, valid }: LoadFacts): ComparedLoad {
  return { name, started, arrivals, valid };
}

function compareLatency(latency: (typeof LATENCIES)[number], runs: Runs): MetricComparison {
  const [before, after] = runs;
  return compareRatio(
    latency.metric,
    { before: latencyOf(latency, before), after: latencyOf(latency, after) },
    "fewer is better",
  );
}

function latencyOf({ key, share }: (typeof LATENCIES)[number], facts: LoadFacts): Estimate {
  const windows = measuredWindows(facts).filter(({ ok, failed }) => ok + failed > 0);
  return {
    value: facts.response[key],
    error: errorOf(
      windows,
      (window) => Math.log(Math.max(window[key], Number.MIN_VALUE)),
      (kept) => logQuantileOf(kept, share),
    ),
  };
}

function compareThroughput([before, after]: Runs): MetricComparison {
  return compareRatio(
    "throughput",
    { before: throughputOf(before), after: throughputOf(after) },
    "more is better",
  );
}

function throughputOf(facts: LoadFacts): Estimate {
  const windows = measuredWindows(facts);
  const ok = total(windows, okOf);
  if (ok === 0) return { value: 0, error: undefined };
  return {
    value: (1000 * ok) / (windows.length * facts.window_ms),
    error: errorOf(windows, okOf, (kept) => Math.log(total(kept, okOf) / kept.length)),
  };
}

function compareRatio(
  metric: MetricComparison["metric"],
  { before, after }: { readonly before: Estimate; readonly after: Estimate },
  direction: "fewer is better" | "more is better",
): MetricComparison {
  const ratio = after.value / before.value;
  const change = before.value > 0 && after.value > 0 ? ratio - 1 : null;
  const half = halfWidth(before, after);
  const interval =
    change === null || half === undefined
      ? null
      : { low: ratio * Math.exp(-half) - 1, high: ratio * Math.exp(half) - 1 };
  const values = { before: before.value, after: after.value };
  return { metric, ...values, change, interval, verdict: verdictOf(interval, direction) };
}

function compareErrors(runs: Runs): MetricComparison {
  const [before, after] = [errorShareOf(runs[0]), errorShareOf(runs[1])];
  const change = after.value - before.value;
  const half = halfWidth(before, after);
  const interval = half === undefined ? null : { low: change - half, high: change + half };
  const values = { before: before.value, after: after.value };
  const verdict = verdictOf(interval, "fewer is better");
  return { metric: "errors", ...values, change, interval, verdict };
}

/** Failed and dropped, as a share of the starts. */
function errorShareOf(facts: LoadFacts): Estimate {
  const windows = measuredWindows(facts).filter(({ due }) => due > 0);
  const share = (kept: readonly LoadWindow[]): number => total(kept, badOf) / total(kept, dueOf);
  const jackknife = errorOf(windows, (window) => badOf(window) / window.due, share);
  if (jackknife === undefined)
    return { value: windows.length > 0 ? share(windows) : 0, error: undefined };
  // No failure in any window is not certainty that there is none.
  const least = binomialError(total(windows, badOf), total(windows, dueOf));
  const standardError = Math.max(jackknife.standardError, least);
  return { value: share(windows), error: { ...jackknife, standardError } };
}

/** Of a share, with one success and one failure more than there were (A. Agresti and B. Caffo, 2000). */
function binomialError(failures: number, count: number): number {
  const share = (failures + 1) / (count + 2);
  return Math.sqrt((share * (1 - share)) / (count + 2));
}

/**
 * Blocks of windows leave out what windows have in common; runs are too short for blocks that have nothing in common, so
 * what is left of it between neighbouring blocks is taken from the correlation of neighbouring windows.
 *
 * @param valueOf a window: what shows how far its values depend on each other.
 * @returns undefined where the windows are too few, or tell too little.
 */
function errorOf<Window extends LoadWindow>(
  windows: readonly Window[],
  valueOf: (window: Window) => number,
  statistic: (kept: readonly Window[]) => number,
): JackknifeError | undefined {
  if (windows.length < WINDOWS_MIN) return undefined;
  const values = windows.map(valueOf);
  // The median scatters least, so it shows best what all of them have in common.
  const correlation = Math.max(seriesCorrelation(values), seriesCorrelation(windows.map(logMedianOf)));
  const independent = windows.length / inflation(correlation);
  if (independent < INDEPENDENT_MIN) return undefined;
  const { standardError, degrees } = blockJackknife(
    windows.length,
    batchMeans(values).length,
    (from, until) => statistic(windows.filter((_, i) => i < from || i >= until)),
  );
  const length = windows.length / (degrees + 1);
  return {
    standardError: standardError * Math.sqrt(inflation(correlation ** length)),
    degrees: Math.min(degrees, independent - 1),
  };
}

/** Of the variance of a mean, by the correlation of neighbours (a first-order autoregression). */
function inflation(correlation: number): number {
  return (1 + correlation) / (1 - correlation);
}

function logMedianOf({ p50_ms }: LoadWindow): number {
  return Math.log(Math.max(p50_ms, Number.MIN_VALUE));
}

/** Student's interval of a difference, with the degrees of Welch and Satterthwaite. */
function halfWidth(before: Estimate, after: Estimate): number | undefined {
  if (before.error === undefined || after.error === undefined) return undefined;
  const first = before.error.standardError ** 2;
  const second = after.error.standardError ** 2;
  const sum = first + second;
  const degrees =
    sum > 0
      ? sum ** 2 / (first ** 2 / before.error.degrees + second ** 2 / after.error.degrees)
      : Infinity;
  return -studentQuantile((1 - CONFIDENCE) / METRICS / 2, degrees) * Math.sqrt(sum);
}

function verdictOf(
  interval: Interval | null,
  direction: "fewer is better" | "more is better",
): MetricComparison["verdict"] {
  if (interval === null) return "unknown";
  if (interval.low <= 0 && interval.high >= 0) return "same";
  return interval.low > 0 === (direction === "more is better") ? "better" : "worse";
}

/** Those of the measured time, whole ones. */
function measuredWindows({ timeline, window_ms, duration_ms }: LoadFacts): readonly LoadWindow[] {
  return timeline.filter(({ from_ms }) => from_ms + window_ms <= duration_ms + 1);
}

function okOf({ ok }: LoadWindow): number {
  return ok;
}

function badOf({ failed, dropped }: LoadWindow): number {
  return failed + dropped;
}

function dueOf({ due }: LoadWindow): number {
  return due;
}

function total(windows: readonly LoadWindow[], of: (window: LoadWindow) => number): number {
  return windows.reduce((sum, window) => sum + of(window), 0);
}
