import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { evaluateService } from "../../packages/millrace/src/evaluation/evaluate-service.ts";
import type { Evaluation } from "../../packages/millrace/src/evaluation/evaluation.ts";
import type { EvaluationRequest } from "../../packages/millrace/src/evaluation/evaluation-request.ts";
import { testPython } from "../../tools/test-venv.ts";
import { LogFiles, type WrittenFeedback, type WrittenPrediction } from "./log-files.ts";

const SINCE_MS = Date.UTC(2026, 10, 21, 16);
const HOUR_MS = 3_600_000;

const REQUEST: EvaluationRequest = {
  service: "s",
  sinceMs: SINCE_MS,
  untilMs: SINCE_MS + HOUR_MS,
  windowMs: 24 * HOUR_MS,
  by: ["version"],
  countMin: 1,
};

/** Microseconds, so many seconds after the beginning of the period. */
function at(seconds: number): number {
  return SINCE_MS * 1000 + seconds * 1_000_000;
}

/** A UUIDv7 of that time. */
function idAt(seconds: number, tail = 0): string {
  const hex = (SINCE_MS + seconds * 1000).toString(16).padStart(12, "0");
  const rest = tail.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${rest}`;
}

function predicted(seconds: number, row: Partial<WrittenPrediction> = {}): WrittenPrediction {
  return { ts: at(seconds), prediction_id: idAt(seconds), label: "a", ...row };
}

function labelled(seconds: number, row: Partial<WrittenFeedback> = {}): WrittenFeedback {
  return { ts: at(seconds + 60), prediction_id: idAt(seconds), label: "a", ...row };
}

async function evaluate(
  predictions: readonly WrittenPrediction[],
  feedback: readonly WrittenFeedback[],
  request: Partial<EvaluationRequest> = {},
): Promise<Evaluation> {
  await using log = await LogFiles.create(predictions, feedback);
  return await evaluateService(log.engine, { ...REQUEST, ...request });
}

/** What scikit-learn says to the same rows. */
function scikitLearn<T>(rows: object): T {
  const script = join(import.meta.dirname, "scikit_learn.py");
  const { status, stdout, stderr } = spawnSync(testPython(), [script], {
    input: JSON.stringify(rows),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

describe("evaluateService() against scikit-learn", () => {
  const seed = 20261121;
  const random = new TestRandom(seed);
  const CLASSES = ["setosa", "versicolor", "virginica"];

  const classified = Array.from({ length: 400 }, (_, index) => {
    const raw = CLASSES.map(() => random.next() ** 2 + 0.01);
    const total = raw.reduce((sum, value) => sum + value, 0);
    const probabilities = raw.map((value) => value / total);
    const best = probabilities.indexOf(Math.max(...probabilities));
    const actual = random.next() < 0.6 ? best : random.below(3);
    const [predictedLabel = "", actualLabel = ""] = [CLASSES[best], CLASSES[actual]];
    const weight = random.next() < 0.5 ? 1 : 10;
    return { index, probabilities, predictedLabel, actualLabel, weight };
  });
  const judged = Array.from({ length: 100 }, (_, index) => {
    const score = random.next();
    return { index, score, actual: random.next() < score };
  });
  const measured = Array.from({ length: 300 }, (_, index) => {
    const actual = 1e6 + 100 * random.next();
    const score = actual + 20 * (random.next() - 0.4);
    return { index, actual, score, weight: 1 + random.below(5) };
  });

  interface Wanted {
    readonly classified: {
      readonly accuracy: number;
      readonly classes: readonly number[][];
      readonly matrix: readonly number[][];
      readonly macro: readonly number[];
      readonly micro: readonly number[];
      readonly weighted: readonly number[];
    };
    readonly probable: { readonly log_loss: number; readonly brier: number };
    readonly judged: { readonly accuracy: number };
    readonly judgedProbable: { readonly log_loss: number; readonly brier: number };
    readonly measured: Readonly<Record<"rmse" | "mae" | "r2" | "bias", number>>;
  }
  let wanted: Wanted;

  beforeAll(() => {
    const ofClassified = {
      actual: classified.map((row) => row.actualLabel),
      weight: classified.map((row) => row.weight),
      labels: CLASSES,
    };
    const ofJudged = {
      actual: judged.map((row) => row.actual),
      weight: judged.map(() => 1),
      labels: [false, true],
    };
    wanted = scikitLearn<Wanted>({
      classified: {
        kind: "classification",
        predicted: classified.map((row) => row.predictedLabel),
        ...ofClassified,
      },
      probable: {
        kind: "probabilities",
        given: classified.map((row) => row.probabilities),
        ...ofClassified,
      },
      judged: {
        kind: "classification",
        predicted: judged.map(({ score }) => score >= 0.5),
        ...ofJudged,
      },
      judgedProbable: {
        kind: "probabilities",
        given: judged.map(({ score }) => [1 - score, score]),
        ...ofJudged,
      },
      measured: {
        kind: "regression",
        actual: measured.map((row) => row.actual),
        predicted: measured.map((row) => row.score),
        weight: measured.map((row) => row.weight),
      },
    });
  });

  it(`gives the same of a classifier, weighted, with probabilities (seed ${seed})`, async () => {
    const { groups, kind } = await evaluate(
      classified.map(({ index, probabilities, predictedLabel, weight }) =>
        predicted(index, {
          prediction: JSON.stringify(probabilities),
          label: predictedLabel,
          score: probabilities[0] ?? null,
          sampled_weight: weight,
        }),
      ),
      classified.map(({ index, actualLabel }) => labelled(index, { label: actualLabel })),
    );
    expect(kind).toBe("classification");
    expect(groups).toHaveLength(1);
    const found = groups[0]?.classification;
    if (found?.probabilities === undefined) throw new Error("There are no probabilities");
    const { report, matrix, probabilities } = found;
    expect(report.accuracy.value).toBeCloseTo(wanted.classified.accuracy, 12);
    for (const average of ["macro", "micro", "weighted"] as const) {
      const { precision, recall, f1 } = report[average];
      const values = [precision.value, recall.value, f1.value];
      expectClose(values, wanted.classified[average]);
    }
    expect(report.classes.map(({ label }) => label)).toEqual(CLASSES);
    for (const [index, { precision, recall, f1, support }] of report.classes.entries()) {
      const values = [precision?.value, recall?.value, f1?.value, support];
      expectClose(values, wanted.classified.classes[index]);
    }
    expect(CLASSES.map((a) => CLASSES.map((p) => matrix.weightOf(a, p)))).toEqual(
      wanted.classified.matrix,
    );
    expect(probabilities.scored).toBe(400);
    const { logLoss, brier } = probabilities;
    expectClose([logLoss?.value, brier?.value], Object.values(wanted.probable));
  });

  it(`gives the same of a classifier of two classes that says true or false (seed ${seed})`, async () => {
    const { groups } = await evaluate(
      judged.map(({ index, score }) => predicted(index, { label: null, score })),
      judged.map(({ index, actual }) => labelled(index, { label: String(actual) })),
    );
    const found = groups[0]?.classification;
    expect(found?.report.accuracy.value).toBeCloseTo(wanted.judged.accuracy, 12);
    const { logLoss, brier } = found?.probabilities ?? {};
    expectClose([logLoss?.value, brier?.value], Object.values(wanted.judgedProbable));
  });

  it(`gives the same of a regression, weighted (seed ${seed})`, async () => {
    const { groups, kind } = await evaluate(
      measured.map(({ index, score, weight }) =>
        predicted(index, { label: null, score, sampled_weight: weight }),
      ),
      measured.map(({ index, actual }) =>
        labelled(index, { label: String(actual), value: actual }),
      ),
    );
    expect(kind).toBe("regression");
    const found = groups[0]?.regression;
    for (const measure of ["rmse", "mae", "r2", "bias"] as const) {
      const { value, interval } = found?.[measure] ?? { value: NaN, interval: { low: 1, high: 0 } };
      expect(value).toBeCloseTo(wanted.measured[measure], 8);
      expect(interval.low).toBeLessThan(value);
      expect(interval.high).toBeGreaterThan(value);
    }
  });
});

function expectClose(
  found: readonly (number | undefined)[],
  wanted: readonly number[] | undefined,
): void {
  expect(found).toHaveLength(wanted?.length ?? 0);
  for (const [index, value] of found.entries())
    expect(value).toBeCloseTo(wanted?.[index] ?? NaN, 9);
}

describe("evaluateService() joins", () => {
  /** Accuracy and counts of the one group. */
  async function counted(
    predictions: readonly WrittenPrediction[],
    feedback: readonly WrittenFeedback[],
    request: Partial<EvaluationRequest> = {},
  ) {
    const { groups, labels } = await evaluate(predictions, feedback, request);
    const [group] = groups;
    return {
      predictions: group?.counts.predictions,
      labelled: group?.counts.labelled,
      lateOnly: group?.counts.lateOnly,
      accuracy: group?.classification?.report.accuracy.value,
      labels,
    };
  }

  it("takes the latest label of a prediction by its time, then by when it came", async () => {
    const feedback = [
      labelled(1, { label: "b", ts: at(100), received_ts: at(400) }),
      labelled(1, { label: "a", ts: at(200), received_ts: at(300) }),
      labelled(2, { label: "b", ts: at(100), received_ts: at(300) }),
      labelled(2, { label: "a", ts: at(100), received_ts: at(301) }),
    ];
    expect(await counted([predicted(1), predicted(2)], feedback)).toMatchObject({
      labelled: 2,
      accuracy: 1,
      labels: { matched: 4, late: 0, unmatched: 0 },
    });
  });

  it("counts what was sent again once, whichever service's route it came by", async () => {
    const again = labelled(1, { feedback_id: "f" });
    const feedback = [
      again,
      { ...again, received_ts: at(500), label: "b" },
      labelled(1, { service: "other", ts: at(10) }),
    ];
    expect(await counted([predicted(1)], feedback)).toMatchObject({
      accuracy: 1,
      labels: { matched: 2 },
    });
  });

  it("leaves out labels that came after the window, and counts them", async () => {
    const feedback = [
      labelled(1, { label: "b", ts: at(86_402), received_ts: at(86_402) }),
      labelled(1),
      labelled(2, { received_ts: at(86_403) }),
    ];
    const predictions = [predicted(1), predicted(2)];
    expect(await counted(predictions, feedback)).toMatchObject({
      labelled: 1,
      lateOnly: 1,
      accuracy: 1,
      labels: { matched: 3, late: 2, unmatched: 0 },
    });
    const wide = await counted(predictions, feedback, { windowMs: 48 * HOUR_MS });
    expect(wide).toMatchObject({ labelled: 2, lateOnly: 0, accuracy: 0.5 });
  });

  it("counts labels of the period without a prediction, and not those of other periods and services", async () => {
    const feedback = [
      labelled(5),
      labelled(-HOUR_MS),
      labelled(7_200),
      labelled(6, { service: "other" }),
      labelled(7, { kind: "event", label: null, event: "clicked" }),
      { ts: at(60), unit_hash: "nobody", label: "a" },
    ];
    const { labels } = await evaluate([predicted(1)], feedback);
    expect(labels).toEqual({ matched: 0, late: 0, unmatched: 2 });
  });

  it("gives a unit's label to the last prediction at or before it, in the window", async () => {
    const of = (seconds: number, unit: string, label: string) => {
      const id = idAt(seconds, unit.charCodeAt(0));
      return predicted(seconds, { prediction_id: id, unit_hash: unit, label });
    };
    const predictions = [
      of(10, "u", "a"),
      of(20, "u", "b"),
      of(30, "u", "c"),
      of(20, "v", "b"),
      of(4_000, "w", "b"), // after the period: the label is its, not the earlier one's
      of(40, "w", "a"),
    ];
    const feedback = [
      { ts: at(20), unit_hash: "u", label: "b" },
      { ts: at(29.999999), unit_hash: "u", label: "b" },
      { ts: at(19), unit_hash: "v", label: "b" },
      { ts: at(4_001), unit_hash: "w", label: "b" },
    ];
    expect(await counted(predictions, feedback)).toMatchObject({
      predictions: 5,
      labelled: 1,
      accuracy: 1,
      labels: { matched: 2, unmatched: 1 },
    });
  });

  it("knows a row by its number, and a request of several rows by nothing else", async () => {
    const id = idAt(1);
    const row = (index: number) =>
      predicted(1, { prediction_id: `${id}#${index}`, row_index: index, row_count: 2 });
    const feedback = [
      labelled(1, { prediction_id: `${id}#1` }),
      labelled(1, { prediction_id: id, label: "b" }),
      labelled(2, { prediction_id: `${idAt(2)}#0` }),
    ];
    expect(await counted([row(0), row(1), predicted(2)], feedback)).toMatchObject({
      predictions: 3,
      labelled: 2,
      accuracy: 1,
      labels: { matched: 2, unmatched: 1 },
    });
  });

  it("looks at what answered somebody, and at nothing else", async () => {
    const predictions = [
      predicted(1, { role: "shadow" }),
      predicted(2, { status: "error", label: null }),
      predicted(3, { service: "other" }),
      predicted(4, { role: "fallback" }),
      predicted(5, { role: "cache" }),
    ];
    const feedback = [1, 2, 3, 4, 5].map((seconds) => labelled(seconds));
    expect(await counted(predictions, feedback)).toMatchObject({ predictions: 2, labelled: 2 });
  });

  it("tells how long labels took", async () => {
    const feedback = Array.from({ length: 11 }, (_, index) =>
      labelled(1, { prediction_id: idAt(1, index), received_ts: at(1 + 10 * index) }),
    );
    const predictions = feedback.map(({ prediction_id: id }) =>
      predicted(1, { prediction_id: id ?? "" }),
    );
    const { groups } = await evaluate(predictions, feedback);
    expect(groups[0]?.counts.delaySeconds).toEqual({ p50: 50, p90: 90 });
  });

  it("has nothing to say of an empty log", async () => {
    const evaluation = await evaluate([predicted(1)], []);
    expect(evaluation).toMatchObject({ kind: undefined, isCut: false });
    expect(evaluation.groups).toEqual([]);
    const all = await evaluate([predicted(1)], [], { countMin: 0 });
    expect(all.groups).toMatchObject([
      { values: ["1"], counts: { predictions: 1, labelled: 0 }, classification: undefined },
    ]);
  });
});

describe("evaluateService() groups", () => {
  it("groups by columns, attributes, features and the time, the largest first", async () => {
    const row = (seconds: number, region: string | undefined, age: number) =>
      predicted(seconds, {
        version: region === "eu" ? "1" : "2",
        attributes: region === undefined ? null : JSON.stringify({ region, "a/b~c": "odd" }),
        features: JSON.stringify({ age, region: "not this" }),
      });
    const predictions = [
      row(1, "eu", 30),
      row(2, "eu", 30),
      row(3, "us", 40),
      row(4, undefined, 40),
    ];
    const feedback = [1, 2, 3, 4].map((seconds) =>
      labelled(seconds, { label: seconds > 2 ? "b" : "a" }),
    );
    const valuesBy = async (...by: string[]) =>
      (await evaluate(predictions, feedback, { by })).groups.map(({ values, classification }) =>
        [...values, classification?.report.accuracy.value].join(" "),
      );
    expect(await valuesBy("version")).toEqual(["1 1", "2 0"]);
    expect(await valuesBy("attributes.region", "version")).toEqual(["eu 1 1", " 2 0", "us 2 0"]);
    expect(await valuesBy("region")).toEqual(["eu 1", "not this 0", "us 0"]);
    expect(await valuesBy("features.age")).toEqual(["30 1", "40 0"]);
    expect(await valuesBy("a/b~c")).toEqual(["odd 0.6666666666666666", " 0"]);
    expect(await valuesBy("dt", "hour")).toEqual(["2026-11-21 16 0.5"]);
    expect(await valuesBy("'; DROP TABLE predictions; --")).toEqual([" 0.5"]);
  });

  it("evaluates the largest hundred groups, and leaves out those with too few labels", async () => {
    const predictions = Array.from({ length: 150 }, (_, index) =>
      predicted(index, { version: String(index % 120).padStart(3, "0") }),
    );
    const feedback = predictions.map((_, index) => labelled(index));
    const evaluation = await evaluate(predictions, feedback, { countMin: 2 });
    expect(evaluation.isCut).toBe(true);
    expect(evaluation.groups).toHaveLength(30);
    expect(evaluation.smallGroupCount).toBe(70);
    expect(evaluation.groups[29]).toMatchObject({ values: ["029"], counts: { labelled: 2 } });
  });

  it("compares classes with classes: a list, or a number where there is a text, is neither", async () => {
    const predictions = [predicted(1), predicted(2), predicted(3, { label: null, score: 7 })];
    const feedback = [
      labelled(1),
      labelled(2, { label: '["a"]' }),
      labelled(3, { label: "7", value: 7 }),
    ];
    const { groups, kind } = await evaluate(predictions, feedback);
    expect(kind).toBe("classification");
    expect(groups[0]).toMatchObject({ incomparable: 2, counts: { labelled: 3 } });
    expect(groups[0]?.classification?.matrix.count).toBe(1);
  });

  it("has no log loss of labels that no prediction ever had, and no calibration of what is no probability", async () => {
    const certain = { prediction: "[0.9,0.1,0]", label: "a" };
    const feedback = [labelled(1), labelled(2, { label: "never" })];
    const { groups } = await evaluate([predicted(1, certain), predicted(2, certain)], feedback);
    const found = groups[0]?.classification?.probabilities;
    expect(found?.scored).toBe(1);
    expect(found?.logLoss?.value).toBeCloseTo(-Math.log(0.9), 12);
    expect(found?.calibration.bins).toMatchObject([
      { from: 0.9, count: 2, confidence: 0.9, accuracy: 0.5 },
    ]);
    expect(found?.calibration.expectedError).toBeCloseTo(0.4, 12);
    for (const prediction of [
      "[3,-1,2]",
      "[0.5,0.1]",
      '{"a":1}',
      "[null,1]",
      "[[1]]",
      "0.5",
      "x",
    ]) {
      const other = await evaluate([predicted(1, { prediction })], [labelled(1)]);
      expect(other.groups[0]?.classification?.probabilities).toBeUndefined();
    }
  });
});
