import type { Estimate } from "../core/stats/interval.ts";
import type { Evaluation, GroupEvaluation } from "./evaluation.ts";

/** As `millrace evaluate --json` prints it; names as in the columns of the log. */
export function evaluationJson(evaluation: Evaluation): object {
  const { request, kind, labels, groups, smallGroupCount, isCut } = evaluation;
  const all = labels.matched + labels.unmatched;
  return {
    service: request.service,
    since: new Date(request.sinceMs).toISOString(),
    until: new Date(request.untilMs).toISOString(),
    window_s: request.windowMs / 1000,
    kind: kind ?? null,
    labels: { ...labels, matched_ratio: all === 0 ? null : labels.matched / all },
    groups: groups.map((group) => groupJson(group, request.by)),
    groups_too_small: smallGroupCount,
    is_cut: isCut,
  };
}

function groupJson(group: GroupEvaluation, by: readonly string[]): object {
  const { values, counts, incomparable, classification, regression } = group;
  const { predictions, weight, labelled, lateOnly, delaySeconds } = counts;
  return {
    by: Object.fromEntries(by.map((name, index) => [name, values[index]])),
    predictions,
    weight,
    labelled,
    late_only: lateOnly,
    incomparable,
    label_delay_s: delaySeconds ?? null,
    ...(classification && { classification: classificationJson(classification) }),
    ...(regression && {
      regression: {
        count: regression.count,
        effective_count: regression.effectiveCount,
        rmse: estimateJson(regression.rmse),
        mae: estimateJson(regression.mae),
        bias: estimateJson(regression.bias),
        r2: estimateJson(regression.r2),
      },
    }),
  };
}

function classificationJson({
  matrix,
  report,
  probabilities,
}: NonNullable<GroupEvaluation["classification"]>): object {
  const { accuracy, classes, macro, micro, weighted } = report;
  const measures = (of: Readonly<Record<"precision" | "recall" | "f1", Estimate | undefined>>) => ({
    precision: estimateJson(of.precision),
    recall: estimateJson(of.recall),
    f1: estimateJson(of.f1),
  });
  return {
    count: matrix.count,
    effective_count: matrix.effectiveCount,
    accuracy: estimateJson(accuracy),
    macro: measures(macro),
    micro: measures(micro),
    weighted: measures(weighted),
    classes: classes.map((each) => ({
      label: each.label,
      support: each.support,
      ...measures(each),
    })),
    confusion: matrix.cells.map(({ actual, predicted, count, weight }) => ({
      actual,
      predicted,
      count,
      weight,
    })),
    ...(probabilities && {
      scored: probabilities.scored,
      log_loss: estimateJson(probabilities.logLoss),
      brier: estimateJson(probabilities.brier),
      expected_calibration_error: probabilities.calibration.expectedError,
      calibration: probabilities.calibration.bins.map(({ interval, ...bin }) => ({
        ...bin,
        accuracy: estimateJson({ value: bin.accuracy, interval }),
      })),
    }),
  };
}

/** JSON has no infinity: the end of an interval that nobody knows is null. */
function estimateJson(estimate: Estimate | undefined): object | null {
  if (estimate === undefined) return null;
  const { value, interval } = estimate;
  const known = (end: number): number | null => (Number.isFinite(end) ? end : null);
  return { value, low: known(interval.low), high: known(interval.high) };
}
