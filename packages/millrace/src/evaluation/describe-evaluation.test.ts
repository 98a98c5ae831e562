import { expect, it } from "vitest";
import { calibration } from "../core/stats/calibration.ts";
import { classificationReport } from "../core/stats/classification-report.ts";
import { ConfusionMatrix } from "../core/stats/confusion-matrix.ts";
import { regressionReport } from "../core/stats/regression-report.ts";
import { describeEvaluation } from "./describe-evaluation.ts";
import type { Evaluation, GroupEvaluation } from "./evaluation.ts";
import { evaluationJson } from "./evaluation-json.ts";

const EVALUATION: Evaluation = {
  request: {
    service: "iris",
    sinceMs: Date.UTC(2026, 10, 14, 16),
    untilMs: Date.UTC(2026, 10, 21, 16),
    windowMs: 36 * 3_600_000,
    by: ["region"],
    countMin: 5,
  },
  kind: "classification",
  labels: { matched: 30, late: 3, unmatched: 10 },
  groups: [],
  smallGroupCount: 0,
  isCut: false,
};

const GROUP: GroupEvaluation = {
  values: ["eu"],
  counts: { predictions: 100, weight: 100, labelled: 20, lateOnly: 2, delaySeconds: undefined },
  incomparable: 0,
  classification: undefined,
  regression: undefined,
};

function classified(): GroupEvaluation {
  const cell = (actual: string, predicted: string, count: number) => ({
    actual,
    predicted,
    count,
    weight: 10 * count,
    weightSquares: 100 * count,
  });
  const matrix = new ConfusionMatrix([cell("a", "a", 12), cell("a", "b", 3), cell("c", "c", 5)]);
  const report = classificationReport(matrix);
  const found = calibration([
    { index: 9, count: 20, weight: 200, weightSquares: 2000, confidence: 190, right: 170 },
  ]);
  if (report === undefined || found === undefined) throw new Error("There is no report");
  const interval = { low: 0.1, high: 0.3 };
  const probabilities = {
    calibration: found,
    logLoss: { value: 0.2, interval },
    brier: { value: 0.00012345, interval: { low: -Infinity, high: Infinity } },
    scored: 20,
  };
  return {
    ...GROUP,
    counts: { ...GROUP.counts, weight: 1000, delaySeconds: { p50: 0.25, p90: 5400 } },
    incomparable: 1,
    classification: { matrix, report, probabilities },
  };
}

it("describeEvaluation() prints groups, classes, the confusion matrix and the reliability", () => {
  const text = describeEvaluation({
    ...EVALUATION,
    groups: [classified(), { ...GROUP, values: [""] }],
    smallGroupCount: 4,
    isCut: true,
  });
  expect(text.split("\n")).toEqual([
    "iris, predictions from 2026-11-14T16:00:00Z to 2026-11-21T16:00:00Z, labels within 1.5 d",
    "labels 40: 30 matched (75 %), of them 3 late; 10 unmatched",
    "left out: 4 groups with fewer than 5 labelled predictions",
    "only the 100 groups with the most labelled predictions are evaluated",
    "",
    "region       predictions  stand for  labelled  late             accuracy             macro F1             log loss      Brier    ECE",
    "region=eu            100       1000        20     2  0.850 (0.640…0.948)  0.630 (0.519…0.871)  0.200 (0.100…0.300)  0.0001234  0.100",
    "region=none          100        100        20     2                 none                 none                 none       none",
    "",
    "region=eu",
    "  half of the labels came within 250 ms, 90 % within 1.5 h",
    "  1 label is of another kind than its prediction",
    "  class            precision               recall                   F1  support",
    "  a      1.000 (0.758…1.000)  0.800 (0.548…0.930)  0.889 (0.708…0.963)      150",
    "  b      0.000 (0.000…0.561)                 none  0.000 (0.000…0.719)        0",
    "  c      1.000 (0.566…1.000)  1.000 (0.566…1.000)  1.000 (0.722…1.000)       50",
    "",
    "  was \\ predicted    a   b   c",
    "  a                120  30   0",
    "  b                  0   0   0",
    "  c                  0   0  50",
    "",
    "  confidence     rows   mean            was right",
    "  90 % to 100 %    20  0.950  0.850 (0.640…0.948)",
    "",
  ]);
});

it("describeEvaluation() prints a regression, with as many digits as its size makes sense of", () => {
  const regression = regressionReport({
    count: 4,
    weight: 4,
    weightSquares: 4,
    error: -4,
    absolute: 800,
    square: 200_000,
    fourth: 1.2e10,
    spread: 0,
    spreadFourth: 0,
    cross: 0,
  });
  const text = describeEvaluation({
    ...EVALUATION,
    kind: "regression",
    groups: [{ ...GROUP, regression }],
  });
  expect(text).toContain("RMSE");
  expect(text).toMatch(
    /^region=eu +100 +20 +2 +223\.6 \(\S+\) +200\.0 \(\S+\) +-1\.000 \(\S+\) +none$/m,
  );
});

it("describeEvaluation() says so when nothing can be compared", () => {
  const text = describeEvaluation({
    ...EVALUATION,
    kind: undefined,
    labels: { matched: 0, late: 0, unmatched: 0 },
  });
  expect(text).toContain("labels 0: 0 matched (0 %)");
  expect(text.endsWith("\n\nno label can be compared with a prediction\n")).toBe(true);
});

it("evaluationJson() has everything, with null for what nobody knows", () => {
  const json = JSON.parse(
    JSON.stringify(evaluationJson({ ...EVALUATION, groups: [classified(), GROUP] })),
  ) as { groups: object[] };
  expect(json).toMatchObject({
    service: "iris",
    since: "2026-11-14T16:00:00.000Z",
    window_s: 129_600,
    kind: "classification",
    labels: { matched: 30, late: 3, unmatched: 10, matched_ratio: 0.75 },
    groups_too_small: 0,
    is_cut: false,
  });
  expect(json.groups[0]).toMatchObject({
    by: { region: "eu" },
    label_delay_s: { p50: 0.25, p90: 5400 },
    classification: {
      count: 20,
      effective_count: 20,
      accuracy: { value: 0.85 },
      classes: [{ label: "a", support: 150 }, { label: "b", recall: null }, { label: "c" }],
      confusion: [{ actual: "a", predicted: "a", count: 12, weight: 120 }, {}, {}],
      brier: { value: 0.00012345, low: null, high: null },
      calibration: [{ from: 0.9, accuracy: { value: 0.85 } }],
    },
  });
  expect(json.groups[1]).not.toHaveProperty("classification");
});

it("describeEvaluation() shows nothing that a terminal obeys, whatever labels were reported", () => {
  const group = { ...GROUP, values: ["\u001b[2J"] };
  const text = describeEvaluation({ ...EVALUATION, groups: [group] });
  expect(text).toContain("region=·[2J");
  expect(text).not.toContain("\u001b");
});
