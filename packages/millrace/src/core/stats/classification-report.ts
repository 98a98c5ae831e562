import type { ConfusionMatrix, ConfusionCell } from "./confusion-matrix.ts";
import { CONFIDENCE, type Estimate, type Interval } from "./interval.ts";
import { wilsonInterval } from "./wilson-interval.ts";

const MEASURES = ["precision", "recall", "f1"] as const;

export type Measure = (typeof MEASURES)[number];

/** One class against all others. */
export interface ClassReport extends Readonly<Record<Measure, Estimate | undefined>> {
  readonly label: string;
  /** Weight of the rows that were of it. */
  readonly support: number;
}

export type AverageReport = Readonly<Record<Measure, Estimate>>;

export interface ClassificationReport {
  readonly accuracy: Estimate;
  /** `precision` is undefined of what was never predicted, `recall` of what never was. */
  readonly classes: readonly ClassReport[];
  /** Every class counts the same. */
  readonly macro: AverageReport;
  /** Every row counts the same. With one label a row all three are the accuracy. */
  readonly micro: AverageReport;
  /** Every class counts as often as it was. */
  readonly weighted: AverageReport;
}

/**
 * How well a classifier does. Of a class with true positives TP, false positives FP and false negatives FN, as weights:
 *
 * precision = TP/(TP+FP), recall = TP/(TP+FN), F1 = 2·TP/(2·TP+FP+FN)
 *
 * Where a class has no precision or recall the averages take 0 for it, as scikit-learn does. Intervals: of shares by
 * Wilson over the effective count; of F1 by Wilson of J = TP/(TP+FP+FN), since F1 = 2J/(1+J) grows with J. Of
 * averages the wider of two: the delta method over the cells of the matrix (K. Takahashi et al., Applied Intelligence 52,
 * 2022), brought into Wilson's form by the count of rows that a share of this variance would have; and the intervals of
 * the classes put together (MOVER: G. Y. Zou and A. Donner, Statistics in Medicine 27, 2008). The first sees that classes
 * share their mistakes, the second that a class which was always right may be of five rows.
 * @returns undefined without rows.
 */
export function classificationReport(
  matrix: ConfusionMatrix,
  confidence = CONFIDENCE,
): ClassificationReport | undefined {
  if (!(matrix.weight > 0)) return undefined;
  const right = matrix.labels.reduce((sum, label) => sum + matrix.weightOf(label, label), 0);
  const accuracy = shareEstimate(right / matrix.weight, matrix.effectiveCount, confidence);
  const classes = matrix.labels.map((label) => classReport(matrix, label, confidence));
  const average = (shareOf: AverageWeight | undefined): AverageReport => {
    const of = (measure: Measure): Estimate =>
      averageEstimate(matrix, { classes, measure, shareOf }, confidence);
    return { precision: of("precision"), recall: of("recall"), f1: of("f1") };
  };
  return {
    accuracy,
    classes,
    macro: average(undefined),
    micro: { precision: accuracy, recall: accuracy, f1: accuracy },
    weighted: average((label) => matrix.actualWeight(label) / matrix.weight),
  };
}

function classReport(matrix: ConfusionMatrix, label: string, confidence: number): ClassReport {
  const right = matrix.weightOf(label, label);
  const estimate = (
    whole: number,
    isPart: (cell: ConfusionCell) => boolean,
  ): Estimate | undefined =>
    whole > 0
      ? shareEstimate(right / whole, matrix.effectiveCountOf(isPart), confidence)
      : undefined;
  const actual = matrix.actualWeight(label);
  const predicted = matrix.predictedWeight(label);
  const union = estimate(
    actual + predicted - right,
    (cell) => cell.actual === label || cell.predicted === label,
  );
  return {
    label,
    support: actual,
    precision: estimate(predicted, (cell) => cell.predicted === label),
    recall: estimate(actual, (cell) => cell.actual === label),
    f1: union && f1OfUnion(union),
  };
}

/** F1 of J, the share of the rows that were or were taken for a class which were both. */
function f1OfUnion({ value, interval: { low, high } }: Estimate): Estimate {
  const f1 = (share: number): number => (2 * share) / (1 + share);
  return { value: f1(value), interval: { low: f1(low), high: f1(high) } };
}

/** Share of a class in an average, 0 to 1; it may depend on how often the class was, and on nothing else. */
type AverageWeight = (label: string) => number;

interface Average {
  readonly classes: readonly ClassReport[];
  readonly measure: Measure;
  /** Undefined takes every class the same. */
  readonly shareOf: AverageWeight | undefined;
}

function averageEstimate(matrix: ConfusionMatrix, average: Average, confidence: number): Estimate {
  const { classes, measure, shareOf = () => 1 / classes.length } = average;
  const valueOf = new Map(classes.map((each) => [each.label, each[measure]?.value ?? 0]));
  const value = classes.reduce(
    (sum, { label }) => sum + shareOf(label) * (valueOf.get(label) ?? 0),
    0,
  );
  let mean = 0;
  let square = 0;
  for (const cell of matrix.cells) {
    const { actual, predicted, weight } = cell;
    const slope = [...new Set([actual, predicted])].reduce(
      (sum, label) => {
        const own = slopeOf(measure, matrix, { cell, label, value: valueOf.get(label) ?? 0 });
        return sum + shareOf(label) * own;
      },
      average.shareOf === undefined ? 0 : (valueOf.get(actual) ?? 0),
    );
    mean += (weight / matrix.weight) * slope;
    square += (weight / matrix.weight) * slope * slope;
  }
  const variance = Math.max(0, square - mean * mean) / matrix.effectiveCount;
  const count = countOfVariance(value, variance, matrix.effectiveCount);
  const byCells = wilsonInterval(value * count, count, confidence);
  const byClasses = combinedInterval(value, classes, measure, shareOf);
  return {
    value,
    interval: {
      low: Math.min(byCells.low, byClasses.low),
      high: Math.max(byCells.high, byClasses.high),
    },
  };
}

/** value − √Σq²(m − low)² to value + √Σq²(high − m)², of the measure m of each class with the share q. */
function combinedInterval(
  value: number,
  classes: readonly ClassReport[],
  measure: Measure,
  shareOf: AverageWeight,
): Interval {
  const distance = (end: (estimate: Estimate) => number): number =>
    Math.hypot(
      ...classes.map((each) => {
        const estimate = each[measure];
        return estimate === undefined ? 0 : shareOf(each.label) * (end(estimate) - estimate.value);
      }),
    );
  return {
    low: Math.max(0, value - distance(({ interval }) => interval.low)),
    high: Math.min(1, value + distance(({ interval }) => interval.high)),
  };
}

/** How a measure of the class `label` changes with the share of all rows that is in `cell`. */
function slopeOf(
  measure: Measure,
  matrix: ConfusionMatrix,
  { cell, label, value }: { cell: ConfusionCell; label: string; value: number },
): number {
  const { actual, predicted } = cell;
  const hit = actual === predicted ? 1 : 0;
  const rows = matrix.actualWeight(label) / matrix.weight;
  const columns = matrix.predictedWeight(label) / matrix.weight;
  switch (measure) {
    case "precision":
      return predicted === label ? (hit - value) / columns : 0;
    case "recall":
      return actual === label ? (hit - value) / rows : 0;
    case "f1":
      return (hit === 1 ? 2 * (1 - value) : -value) / (rows + columns);
  }
}

/** Rows over which a share would have this variance; all of them where it has none, because the share is 0 or 1. */
function countOfVariance(value: number, variance: number, count: number): number {
  const spread = value * (1 - value);
  return variance > 1e-15 && spread > 1e-15 ? spread / variance : count;
}

function shareEstimate(value: number, count: number, confidence: number): Estimate {
  return { value, interval: wilsonInterval(value * count, count, confidence) };
}
