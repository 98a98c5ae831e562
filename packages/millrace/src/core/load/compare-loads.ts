import type { Interval } from "../stats/interval.ts";
import { studentQuantile } from "../stats/student-quantile.ts";
import { comparisonStatement } from "./comparison-statement.ts";
import { comparisonWarnings } from "./comparison-warnings.ts";
import type { ComparedLoad, LoadComparison, MetricComparison } from "./load-comparison.ts";
import {
  estimateErrors,
  estimateLatency,
  estimateThroughput,
  type LoadEstimate,
} from "./load-estimates.ts";
import type { LoadFacts, LoadReport } from "./load-report.ts";

/** Of all intervals together: each one is made for a fifth of what that leaves (C. E. Bonferroni, 1936). */
const CONFIDENCE = 0.95;

const METRICS = 5;

type Estimator = (facts: LoadFacts) => LoadEstimate;

/**
 * Compares two load tests. How far a figure can be trusted comes from how it differs over the windows of its own run, in
 * blocks so long that they hardly depend on each other. How runs differ from each other they cannot tell.
 */
export function compareLoads(before: LoadReport, after: LoadReport): LoadComparison {
  const runs = [before.millrace, after.millrace] as const;
  const metrics = [
    compareRatio("p50", runs, (facts) => estimateLatency(facts, "p50_ms", 0.5)),
    compareRatio("p90", runs, (facts) => estimateLatency(facts, "p90_ms", 0.9)),
    compareRatio("p99", runs, (facts) => estimateLatency(facts, "p99_ms", 0.99)),
    compareRatio("throughput", runs, estimateThroughput),
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

function comparedLoad({ name, started, arrivals, valid }: LoadFacts): ComparedLoad {
  return { name, started, arrivals, valid };
}

/** Latencies and throughputs differ by shares of themselves: their logarithms are compared. */
function compareRatio(
  metric: MetricComparison["metric"],
  [before, after]: Runs,
  estimate: Estimator,
): MetricComparison {
  const [first, second] = [estimate(before), estimate(after)];
  const ratio = second.value / first.value;
  const change = first.value > 0 && second.value > 0 ? ratio - 1 : null;
  const half = halfWidth(first, second);
  const interval =
    change === null || half === undefined
      ? null
      : { low: ratio * Math.exp(-half) - 1, high: ratio * Math.exp(half) - 1 };
  return comparison(metric, [first.value, second.value], change, interval);
}

function compareErrors([before, after]: Runs): MetricComparison {
  const [first, second] = [estimateErrors(before), estimateErrors(after)];
  const change = second.value - first.value;
  const half = halfWidth(first, second);
  const interval = half === undefined ? null : { low: change - half, high: change + half };
  return comparison("errors", [first.value, second.value], change, interval);
}

function comparison(
  metric: MetricComparison["metric"],
  [before, after]: readonly [number, number],
  change: number | null,
  interval: Interval | null,
): MetricComparison {
  return { metric, before, after, change, interval, verdict: verdictOf(metric, interval) };
}

function verdictOf(
  metric: MetricComparison["metric"],
  interval: Interval | null,
): MetricComparison["verdict"] {
  if (interval === null) return "unknown";
  if (interval.low <= 0 && interval.high >= 0) return "same";
  const isMore = interval.low > 0;
  return isMore === (metric === "throughput") ? "better" : "worse";
}

/** Student's interval of a difference, with the degrees of Welch and Satterthwaite. */
function halfWidth(before: LoadEstimate, after: LoadEstimate): number | undefined {
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
