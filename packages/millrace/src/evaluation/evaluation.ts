import type { Calibration } from "../core/stats/calibration.ts";
import type { ClassificationReport } from "../core/stats/classification-report.ts";
import type { ConfusionMatrix } from "../core/stats/confusion-matrix.ts";
import type { Estimate } from "../core/stats/interval.ts";
import type { RegressionReport } from "../core/stats/regression-report.ts";
import type { EvaluationRequest } from "./evaluation-request.ts";

/** How good the predictions of a service were. */
export interface Evaluation {
  readonly request: EvaluationRequest;
  /** What labels and predictions are: classes or numbers; undefined when none could be compared. */
  readonly kind: "classification" | "regression" | undefined;
  readonly labels: LabelCounts;
  /** Those with the most labelled predictions first. */
  readonly groups: readonly GroupEvaluation[];
  /** Groups with fewer labelled predictions than asked for. */
  readonly smallGroupCount: number;
  /** There were more groups than are evaluated: those with the fewest labels are missing. */
  readonly isCut: boolean;
}

/** Labels that are about predictions of the period. */
export interface LabelCounts {
  /** Of those whose prediction was found. */
  readonly matched: number;
  /** Of the matched ones those that came after the window. */
  readonly late: number;
  /** Without a prediction in the log. */
  readonly unmatched: number;
}

export interface GroupCounts {
  readonly predictions: number;
  /** They stand for so many, where the log is a sample. */
  readonly weight: number;
  /** With a label in the window. */
  readonly labelled: number;
  /** With labels after the window only. */
  readonly lateOnly: number;
  /** From the prediction to its label, in seconds; undefined where nothing is labelled. */
  readonly delaySeconds: { readonly p50: number; readonly p90: number } | undefined;
}

export interface GroupEvaluation {
  /** Value of each name in `by`; empty where a prediction has none. */
  readonly values: readonly string[];
  readonly counts: GroupCounts;
  /** Labelled predictions that could not be compared: a list and a class, a text and a number. */
  readonly incomparable: number;
  readonly classification: ClassificationResult | undefined;
  readonly regression: RegressionReport | undefined;
}

export interface ClassificationResult {
  readonly matrix: ConfusionMatrix;
  readonly report: ClassificationReport;
  /** Undefined where predictions have no probabilities. */
  readonly probabilities: ProbabilityResult | undefined;
}

export interface ProbabilityResult {
  readonly calibration: Calibration;
  /** Undefined when no label is among the classes that are known by a prediction. */
  readonly logLoss: Estimate | undefined;
  readonly brier: Estimate | undefined;
  /** Rows that both are of. */
  readonly scored: number;
}
