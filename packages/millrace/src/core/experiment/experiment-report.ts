import type { MetricRole, MetricSource } from "./metric.ts";

/** A decision is about a window of data; it says which, and why. */
export type Decision =
  /** `arm` is to get all traffic. */
  | { readonly kind: "ship"; readonly arm: string; readonly why: string }
  /** The control arm is to get all traffic. */
  | { readonly kind: "rollback"; readonly why: string }
  | { readonly kind: "keep_running"; readonly why: string }
  | { readonly kind: "inconclusive"; readonly reason: InconclusiveReason; readonly why: string };

export type InconclusiveReason =
  /** Units are not split as the weights say. */
  | "sample_ratio_mismatch"
  /** Units were in several arms. */
  | "multiple_exposures"
  /** `lengthMax` is over. */
  | "too_long"
  /** Nothing was exposed, or nothing for the time of grace. */
  | "no_data"
  /** There is no prediction log to ask. */
  | "no_log";

/** What the data says of an experiment, from `fromMs` to `untilMs`: plain JSON, stored and answered as it is. */
export interface ExperimentAnalysis {
  /** Milliseconds since 1970-01-01 UTC; both undefined when there is no exposure. */
  readonly window: { readonly fromMs: number | undefined; readonly untilMs: number };
  readonly computedAtMs: number;
  /** How long computing took. */
  readonly tookMs: number;
  readonly arms: readonly ArmReport[];
  /** Phases that the numbers are combined of, by inverse variance. */
  readonly phases: readonly number[];
  readonly sampleRatios: readonly SampleRatioReport[];
  /** Units that were exposed to more than one arm; they are left out of all else. */
  readonly multipleExposures: number;
  /** Latest exposure; undefined without one. */
  readonly lastExposureMs: number | undefined;
  /** Latest prediction of an enrolled request. */
  readonly lastPredictionMs: number | undefined;
  readonly metrics: readonly MetricReport[];
  readonly decision: Decision;
}

export interface ArmReport {
  readonly arm: string;
  readonly isControl: boolean;
  /** Share it should have of those that take part. */
  readonly weight: number;
  readonly units: number;
  readonly predictions: number;
  /** Those that failed, and those that a fallback answered. */
  readonly errors: number;
  readonly latencyMs:
    { readonly p50: number; readonly p95: number; readonly p99: number } | undefined;
}

export interface SampleRatioReport {
  /** Of all exposed units, of those whose window is over, or of those of them that have a label. */
  readonly of: "exposed" | "matured" | "labelled";
  readonly counts: readonly number[];
  readonly expected: readonly number[];
  /** Pearson's, k − 1 degrees of freedom. */
  readonly statistic: number;
  /** Of Pearson's, for one look. */
  readonly pValue: number;
  /** Of all looks together. */
  readonly sequentialPValue: number;
  /** sequentialPValue < 0.01 */
  readonly isMismatch: boolean;
}

export interface MetricReport {
  readonly name: string;
  readonly role: MetricRole;
  readonly goal: "increase" | "decrease";
  readonly source: MetricSource;
  /** Units whose window of attribution is over, those compared. */
  readonly arms: readonly MetricArmReport[];
  /** Of each other arm with the control arm. */
  readonly comparisons: readonly MetricComparison[];
}

export interface MetricArmReport {
  readonly arm: string;
  readonly units: number;
  /** Undefined without units. */
  readonly mean: number | undefined;
  /** Standard error of the mean. */
  readonly standardError: number | undefined;
}

/**
 * `better`, `worse`: the interval lies on that side of no difference. `safe`: a guardrail that is worse by less than its
 * margin. `regressed`: worse by more than it. `unclear`: the interval says none of these. `no_data`: too few units.
 */
export type MetricState = "better" | "worse" | "safe" | "regressed" | "unclear" | "no_data";

export interface MetricComparison {
  readonly arm: string;
  /** Arm less control. */
  readonly difference: number | undefined;
  /** As a share of the control arm's mean; undefined where that is 0. */
  readonly relative: number | undefined;
  /**
   * Of `difference`; null is open. That of a guardrail is one-sided: how bad it may be at most, or of one that has
   * regressed how bad it is at least. Undefined with `no_data`.
   */
  readonly interval: { readonly low: number | null; readonly high: number | null } | undefined;
  /** Always valid with `sequential`. */
  readonly pValue: number | undefined;
  /** Benjamini–Hochberg over the secondary metrics; undefined for others. */
  readonly adjustedPValue: number | undefined;
  /** Share of the variance that CUPED took out; undefined without it. */
  readonly varianceReduction: number | undefined;
  readonly state: MetricState;
}
