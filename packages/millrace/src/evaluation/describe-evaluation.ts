import type { Estimate } from "../core/stats/interval.ts";
import type { RegressionReport } from "../core/stats/regression-report.ts";
import { withoutControls } from "../core/without-controls.ts";
import { GROUPS_MAX } from "./joined-sql.ts";
import type { ClassificationResult, Evaluation, GroupEvaluation } from "./evaluation.ts";
import { textTable } from "./text-table.ts";

/** Classes whose rows of a confusion matrix fit a screen. */
const MATRIX_CLASSES_MAX = 12;

/** Groups that are shown one by one below the table of all. */
const DETAILED_GROUPS_MAX = 10;

/** What `millrace evaluate` prints. */
export function describeEvaluation(evaluation: Evaluation): string {
  const { groups, kind } = evaluation;
  const lines = [...headLines(evaluation), ""];
  if (kind === undefined) lines.push("no label can be compared with a prediction");
  else {
    lines.push(...groupTable(evaluation));
    for (const group of groups.slice(0, DETAILED_GROUPS_MAX)) {
      const details = detailLines(group);
      if (details.length > 0) lines.push("", groupName(evaluation, group), ...details);
    }
  }
  return `${lines.map(withoutControls).join("\n")}\n`;
}

function headLines({ request, labels, ...evaluation }: Evaluation): string[] {
  const { service, sinceMs, untilMs, windowMs, countMin } = request;
  const { matched, late, unmatched } = labels;
  const all = matched + unmatched;
  const lines = [
    `${service}, predictions from ${time(sinceMs)} to ${time(untilMs)}, labels within ${duration(windowMs / 1000)}`,
    `labels ${all}: ${matched} matched (${percent(all === 0 ? 0 : matched / all)}), of them ${late} late; ${unmatched} unmatched`,
  ];
  const { smallGroupCount, isCut } = evaluation;
  if (smallGroupCount > 0) {
    lines.push(
      `left out: ${smallGroupCount} groups with fewer than ${countMin} labelled predictions`,
    );
  }
  if (isCut)
    lines.push(`only the ${GROUPS_MAX} groups with the most labelled predictions are evaluated`);
  return lines;
}

function groupTable(evaluation: Evaluation): string[] {
  const { groups, kind, request } = evaluation;
  const isSampled = groups.some(({ counts }) => counts.weight > counts.predictions);
  const sampled = isSampled ? ["stand for"] : [];
  const counts = ["predictions", ...sampled, "labelled", "late"];
  const measures = kind === "regression" ? REGRESSION_COLUMNS : CLASSIFICATION_COLUMNS;
  const rows = groups.map((group) => {
    const { predictions, weight, labelled, lateOnly } = group.counts;
    return [
      groupName(evaluation, group),
      String(predictions),
      ...(isSampled ? [String(Math.round(weight))] : []),
      String(labelled),
      String(lateOnly),
      ...(kind === "regression"
        ? regressionCells(group.regression)
        : classificationCells(group.classification)),
    ];
  });
  return textTable([[request.by.join(", "), ...counts, ...measures], ...rows], "");
}

const CLASSIFICATION_COLUMNS = ["accuracy", "macro F1", "log loss", "Brier", "ECE"];
const REGRESSION_COLUMNS = ["RMSE", "MAE", "bias", "R²"];

function classificationCells(result: ClassificationResult | undefined): string[] {
  const { report, probabilities } = result ?? {};
  const error = probabilities?.calibration.expectedError;
  return [
    estimate(report?.accuracy),
    estimate(report?.macro.f1),
    estimate(probabilities?.logLoss),
    estimate(probabilities?.brier),
    error === undefined ? "" : number(error),
  ];
}

function regressionCells(report: RegressionReport | undefined): string[] {
  return [report?.rmse, report?.mae, report?.bias, report?.r2].map(estimate);
}

function detailLines({ classification, counts, incomparable }: GroupEvaluation): string[] {
  const lines: string[] = [];
  if (counts.delaySeconds !== undefined) {
    const { p50, p90 } = counts.delaySeconds;
    lines.push(`  half of the labels came within ${duration(p50)}, 90 % within ${duration(p90)}`);
  }
  if (incomparable > 0) {
    const [what, whose] = incomparable === 1 ? ["label is", "its"] : ["labels are", "their"];
    lines.push(`  ${incomparable} ${what} of another kind than ${whose} prediction`);
  }
  if (classification === undefined) return lines;
  const { report, matrix, probabilities } = classification;
  const classes = report.classes.map(({ label, precision, recall, f1, support }) => [
    label,
    estimate(precision),
    estimate(recall),
    estimate(f1),
    count(support),
  ]);
  lines.push(...textTable([["class", "precision", "recall", "F1", "support"], ...classes]));
  const { labels } = matrix;
  if (labels.length <= MATRIX_CLASSES_MAX) {
    const rows = labels.map((actual) => [
      actual,
      ...labels.map((predicted) => count(matrix.weightOf(actual, predicted))),
    ]);
    lines.push("", ...textTable([["was \\ predicted", ...labels], ...rows]));
  }
  if (probabilities !== undefined) {
    const bins = probabilities.calibration.bins.map((bin) => [
      `${percent(bin.from)} to ${percent(bin.to)}`,
      String(bin.count),
      number(bin.confidence),
      estimate({ value: bin.accuracy, interval: bin.interval }),
    ]);
    lines.push("", ...textTable([["confidence", "rows", "mean", "was right"], ...bins]));
  }
  return lines;
}

function groupName({ request }: Evaluation, { values }: GroupEvaluation): string {
  return request.by
    .map((name, index) => `${name}=${values[index] === "" ? "none" : (values[index] ?? "")}`)
    .join(", ");
}

/** `0.953 (0.923–0.972)`: the interval of 95 %. */
function estimate(found: Estimate | undefined): string {
  if (found === undefined) return "none";
  const { value, interval } = found;
  const isKnown = Number.isFinite(interval.low) && Number.isFinite(interval.high);
  return isKnown
    ? `${number(value)} (${number(interval.low)}…${number(interval.high)})`
    : number(value);
}

/** With three digits behind the point, fewer of what is large. */
function number(value: number): string {
  const size = Math.abs(value);
  const text =
    size >= 1e6 || (size > 0 && size < 0.0005)
      ? value.toPrecision(4)
      : value.toFixed(size >= 100 ? 1 : 3);
  return Number(text) === 0 ? text.replace("-", "") : text;
}

/** Of weighted rows the sum of their weights. */
function count(weight: number): string {
  return String(rounded(weight));
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, "Z");
}

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 10],
] as const;

/** `2.5 h`, `320 ms`. */
function duration(seconds: number): string {
  for (const [unit, from] of UNITS) {
    if (seconds >= from) return `${rounded(seconds / (unit === "s" ? 1 : from))} ${unit}`;
  }
  return `${Math.round(seconds * 1000)} ms`;
}

/** With one digit behind the point. */
function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
