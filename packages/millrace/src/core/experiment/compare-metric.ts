import { benjaminiHochberg } from "../stats/benjamini-hochberg.ts";
import { absoluteDifference } from "../stats/absolute-difference.ts";
import { combineByInverseVariance } from "../stats/combine-by-inverse-variance.ts";
import type { Difference } from "../stats/difference.ts";
import { fixedTest } from "../stats/fixed-test.ts";
import type { Interval } from "../stats/interval.ts";
import { relativeDifference } from "../stats/relative-difference.ts";
import type { SampleSummary } from "../stats/sample-summary.ts";
import { sequentialBound } from "../stats/sequential-bound.ts";
import { sequentialTest } from "../stats/sequential-test.ts";
import type {
  MetricArmReport,
  MetricComparison,
  MetricReport,
  MetricState,
} from "./experiment-report.ts";
import type { MetricDefinition, MetricRole } from "./metric.ts";
import type { PhaseSums } from "./metric-sums.ts";
import { summarisePhase, type PhaseSummary } from "./summarise-phase.ts";

/** How arms are compared. */
export interface ComparisonRules {
  /** Names, in the order of the sums. */
  readonly arms: readonly string[];
  /** One of them. */
  readonly control: string;
  readonly method: "sequential" | "fixed";
  readonly alpha: number;
  readonly unitsTuned: number;
}

export type ComparedMetric = MetricDefinition & { readonly role: MetricRole };

/** Units of each arm in a phase below which its mean says nothing: intervals are those of large samples. */
const UNITS_MIN = 10;

/**
 * Compares each arm with the control arm: within each phase, and over phases by inverse variance, since units of phases with
 * different weights are not alike. Guardrails have always-valid one-sided bounds whatever the method, for they are looked
 * at all the time; the alpha of a primary metric is divided by the number of arms that might ship.
 *
 * That of guardrails is not divided. What ships has to be safe by every one of them, so what is unsafe by any ships with
 * the probability alpha at most, however many there are. In return the probability of a rollback for nothing adds up; it
 * needs an arm that is as bad as the margin allows, and costs time and no user.
 */
export function compareMetric(
  metric: ComparedMetric,
  phases: readonly PhaseSums[],
  rules: ComparisonRules,
): MetricReport {
  const { name, role, goal, source } = metric;
  const summaries = phases.map(({ arms }) => summarisePhase(metric, arms));
  const control = rules.arms.indexOf(rules.control);
  return {
    name,
    role,
    goal,
    source,
    arms: rules.arms.map((arm, index) => armReport(arm, index, phases, summaries)),
    comparisons: rules.arms.flatMap((arm, index) =>
      index === control ? [] : [compareArm(arm, { control, index, summaries, metric, rules })],
    ),
  };
}

/** Corrects the p-values of the secondary metrics for the number of all their comparisons. */
export function adjustSecondary(metrics: readonly MetricReport[]): readonly MetricReport[] {
  const isTested = (metric: MetricReport, { pValue }: MetricComparison): boolean =>
    metric.role === "secondary" && pValue !== undefined;
  const pValues = metrics.flatMap((metric) =>
    metric.comparisons.filter((one) => isTested(metric, one)).map(({ pValue = 1 }) => pValue),
  );
  const adjusted = benjaminiHochberg(pValues).values();
  return metrics.map((metric) => ({
    ...metric,
    comparisons: metric.comparisons.map((one) =>
      isTested(metric, one) ? { ...one, adjustedPValue: adjusted.next().value } : one,
    ),
  }));
}

/**
 * Means of the phases, weighed by the units of all arms in them: so the means of two arms differ as the arms do, and not as
 * the phases.
 */
function armReport(
  arm: string,
  index: number,
  phases: readonly PhaseSums[],
  summaries: readonly PhaseSummary[],
): MetricArmReport {
  const parts = summaries.flatMap(({ raw }, phase) => {
    const summary = raw[index] as SampleSummary;
    const weight = (phases[phase] as PhaseSums).arms.reduce((sum, { units }) => sum + units, 0);
    return Number.isFinite(summary.mean) ? [{ ...summary, weight }] : [];
  });
  const units = phases.reduce((sum, { arms }) => sum + (arms[index]?.units ?? 0), 0);
  const weight = parts.reduce((sum, part) => sum + part.weight, 0);
  if (weight === 0) return { arm, units, mean: undefined, standardError: undefined };
  const mean = parts.reduce((sum, part) => sum + (part.weight / weight) * part.mean, 0);
  const squared = parts.reduce(
    (sum, part) => sum + (part.weight / weight) ** 2 * (part.variance / part.count),
    0,
  );
  const standardError = Number.isFinite(squared) ? Math.sqrt(squared) : undefined;
  return { arm, units, mean, standardError };
}

interface ArmComparison {
  readonly control: number;
  readonly index: number;
  readonly summaries: readonly PhaseSummary[];
  readonly metric: ComparedMetric;
  readonly rules: ComparisonRules;
}

function compareArm(arm: string, comparison: ArmComparison): MetricComparison {
  const { control, index, metric, rules } = comparison;
  const used = comparison.summaries.filter(
    ({ arms }) => hasEnough(arms[control]) && hasEnough(arms[index]),
  );
  const over = (compare: typeof absoluteDifference): Difference | undefined => {
    const found = used.map(({ arms }) =>
      compare(arms[control] as SampleSummary, arms[index] as SampleSummary),
    );
    const all = found.filter((one) => one !== undefined);
    return all.length < found.length ? undefined : combineByInverseVariance(all);
  };
  const difference = over(absoluteDifference);
  const relative = over(relativeDifference);
  const isTellable = difference !== undefined && difference.standardError > 0;
  const judged = !isTellable
    ? NOTHING
    : metric.role === "guardrail"
      ? judgeGuardrail(difference, relative, metric, rules)
      : judge(difference, metric, rules);
  return {
    arm,
    difference: difference?.value,
    relative: relative?.value,
    adjustedPValue: undefined,
    varianceReduction: meanReduction(used, [control, index]),
    ...judged,
  };
}

type Judged = Pick<MetricComparison, "interval" | "pValue" | "state">;

const NOTHING: Judged = { interval: undefined, pValue: undefined, state: "no_data" };

function hasEnough(summary: SampleSummary | undefined): boolean {
  return summary !== undefined && summary.count >= UNITS_MIN;
}

function judge(difference: Difference, metric: ComparedMetric, rules: ComparisonRules): Judged {
  const alpha = metric.role === "primary" ? rules.alpha / (rules.arms.length - 1) : rules.alpha;
  const { interval, pValue } =
    rules.method === "fixed"
      ? fixedTest(difference, alpha)
      : sequentialTest(difference, { alpha, unitsTuned: rules.unitsTuned });
  const isUp = interval.low > 0;
  const isDown = interval.high < 0;
  const isGood = metric.goal === "increase" ? isUp : isDown;
  const state: MetricState = isGood ? "better" : isUp || isDown ? "worse" : "unclear";
  return { interval: finite(interval), pValue, state };
}

/** @param relative undefined where the control arm's mean is 0. */
function judgeGuardrail(
  difference: Difference,
  relative: Difference | undefined,
  metric: ComparedMetric,
  { alpha, unitsTuned }: ComparisonRules,
): Judged {
  const options = { alpha, unitsTuned };
  const { kind } = metric.source;
  const isShare = kind === "errors" || kind === "slow";
  // Without a margin both scales say the same.
  const scale = isShare || metric.margin === 0 ? difference : relative;
  const bound = sequentialBound(difference, options);
  const state =
    scale === undefined ? "unclear" : guardrailState(sequentialBound(scale, options), metric);
  const isHarmUp = metric.goal === "decrease";
  // How bad it may be; of what has regressed, how bad it is at least.
  const isHighShown = isHarmUp !== (state === "regressed");
  const { low, high } = finite(bound);
  return {
    interval: isHighShown ? { low: null, high } : { low, high: null },
    pValue: sequentialTest(difference, options).pValue,
    state,
  };
}

function guardrailState({ low, high }: Interval, { goal, margin }: ComparedMetric): MetricState {
  const [least, most] = goal === "decrease" ? [low, high] : [-high, -low];
  if (least > margin) return "regressed";
  return most < margin ? "safe" : "unclear";
}

function finite({ low, high }: Interval): { low: number | null; high: number | null } {
  const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return { low: orNull(low), high: orNull(high) };
}

/** Weighed by the units of the phases. */
function meanReduction(
  used: readonly PhaseSummary[],
  indexes: readonly number[],
): number | undefined {
  const parts = used.flatMap(({ arms, varianceReduction }) =>
    varianceReduction === undefined
      ? []
      : [{ varianceReduction, units: indexes.reduce((sum, i) => sum + (arms[i]?.count ?? 0), 0) }],
  );
  const units = parts.reduce((sum, part) => sum + part.units, 0);
  if (units === 0) return undefined;
  return parts.reduce((sum, part) => sum + (part.units / units) * part.varianceReduction, 0);
}
