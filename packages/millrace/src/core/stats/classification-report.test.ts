import { describe, expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { bootstrapInterval } from "./bootstrap-interval.ts";
import { classificationReport, type ClassificationReport } from "./classification-report.ts";
import { ConfusionMatrix } from "./confusion-matrix.ts";

/** Of rows with equal weights, written `actual>predicted`. */
function matrixOf(counts: Readonly<Record<string, number>>, weight = 1): ConfusionMatrix {
  const cells = Object.entries(counts).map(([pair, count]) => {
    const [actual = "", predicted = ""] = pair.split(">");
    return {
      actual,
      predicted,
      count,
      weight: count * weight,
      weightSquares: count * weight * weight,
    };
  });
  return new ConfusionMatrix(cells);
}

function reportOf(counts: Readonly<Record<string, number>>, weight?: number): ClassificationReport {
  const report = classificationReport(matrixOf(counts, weight));
  if (report === undefined) throw new Error("There is no report");
  return report;
}

describe("classificationReport()", () => {
  it("classificationReport() counts by hand", () => {
    const { accuracy, classes, macro, micro, weighted } = reportOf({
      "a>a": 8,
      "a>b": 2,
      "b>b": 3,
      "b>a": 1,
    });
    expect(accuracy.value).toBeCloseTo(11 / 14, 12);
    expect(classes.map((each) => [each.label, each.support])).toEqual([
      ["a", 10],
      ["b", 4],
    ]);
    const [a, b] = classes;
    expect([a?.precision?.value, a?.recall?.value, a?.f1?.value]).toEqual([
      expect.closeTo(8 / 9, 12),
      expect.closeTo(8 / 10, 12),
      expect.closeTo(16 / 19, 12),
    ]);
    expect([b?.precision?.value, b?.recall?.value, b?.f1?.value]).toEqual([
      0.6,
      0.75,
      expect.closeTo(6 / 9, 12),
    ]);
    expect(macro.precision.value).toBeCloseTo((8 / 9 + 0.6) / 2, 12);
    expect(weighted.f1.value).toBeCloseTo((10 * (16 / 19) + 4 * (6 / 9)) / 14, 12);
    expect(micro).toEqual({ precision: accuracy, recall: accuracy, f1: accuracy });
  });

  it("classificationReport() has no precision of what was never predicted, and takes 0 for it", () => {
    const { classes, macro } = reportOf({ "a>a": 1, "b>a": 1, "a>c": 2 });
    const [a, b, c] = classes;
    expect([b?.precision, b?.recall?.value, b?.f1?.value]).toEqual([undefined, 0, 0]);
    expect([c?.precision?.value, c?.recall, c?.f1?.value]).toEqual([0, undefined, 0]);
    expect(macro.precision.value).toBeCloseTo((a?.precision?.value ?? NaN) / 3, 12);
  });

  it("classificationReport() says how little a few perfect rows tell", () => {
    const { accuracy, macro, classes } = reportOf({ "a>a": 5, "b>b": 5 });
    for (const estimate of [accuracy, macro.f1, classes[0]?.f1]) {
      expect(estimate?.value).toBe(1);
      expect(estimate?.interval.low).toBeLessThan(0.8);
    }
    const none = reportOf({ "a>b": 5, "b>a": 5 });
    expect(none.macro.f1).toMatchObject({ value: 0 });
    expect(none.macro.f1.interval.high).toBeGreaterThan(0.2);
  });

  it("classificationReport() does not take a class of few rows for certain because it was always right", () => {
    const { macro } = reportOf({ "a>a": 120, "a>b": 30, "c>c": 2 });
    expect(macro.recall.interval.low).toBeLessThan(0.65);
    expect(macro.f1.interval.high).toBeGreaterThan(0.66);
  });

  it("classificationReport() does not change with the unit of the weights", () => {
    const counts = { "a>a": 8, "a>b": 2, "b>b": 3, "b>a": 1 };
    const tenfold = reportOf(counts, 10);
    const found = reportOf(counts);
    expect(tenfold.accuracy.interval.low).toBeCloseTo(found.accuracy.interval.low, 12);
    expect(tenfold.macro.f1.interval.high).toBeCloseTo(found.macro.f1.interval.high, 12);
  });

  it("classificationReport() averages recalls by support to the accuracy, with its variance", () => {
    const { accuracy, weighted } = reportOf({
      "a>a": 70,
      "a>b": 13,
      "b>b": 40,
      "b>c": 9,
      "c>c": 5,
    });
    expect(weighted.recall.value).toBeCloseTo(accuracy.value, 12);
    expect(weighted.recall.interval.low).toBeCloseTo(accuracy.interval.low, 1.5);
    expect(weighted.recall.interval.high).toBeCloseTo(accuracy.interval.high, 1.5);
  });

  const seed = 20261121;
  it(`classificationReport() gives averages the intervals that resampling gives (seed ${seed})`, () => {
    const random = new TestRandom(seed);
    const counts = { "a>a": 180, "a>b": 30, "b>b": 90, "b>a": 25, "b>c": 10, "c>c": 50, "c>a": 15 };
    const rows = Object.entries(counts).flatMap(([pair, count]) =>
      new Array<string>(count).fill(pair),
    );
    const report = reportOf(counts);
    const resampled = (read: (report: ClassificationReport) => number) =>
      bootstrapInterval({
        count: rows.length,
        resamples: 600,
        random: () => random.next(),
        statistic: (sample) => {
          const drawn: Record<string, number> = {};
          for (const index of sample) {
            const pair = rows[index] ?? "";
            drawn[pair] = (drawn[pair] ?? 0) + 1;
          }
          return read(reportOf(drawn));
        },
      });
    for (const average of ["macro", "weighted"] as const) {
      for (const measure of ["precision", "recall", "f1"] as const) {
        const { low, high } = resampled((each) => each[average][measure].value);
        const { interval } = report[average][measure];
        expect(interval.low).toBeCloseTo(low, 1.8);
        expect(interval.high).toBeCloseTo(high, 1.8);
        expect((interval.high - interval.low) / (high - low)).toBeCloseTo(1, 0.6);
      }
    }
    const { low, high } = resampled((each) => each.classes[2]?.f1?.value ?? NaN);
    expect(report.classes[2]?.f1?.interval.low).toBeCloseTo(low, 1.3);
    expect(report.classes[2]?.f1?.interval.high).toBeCloseTo(high, 1.3);
  });

  it("classificationReport() has nothing to say of no row", () => {
    expect(classificationReport(new ConfusionMatrix([]))).toBeUndefined();
  });
});

describe("ConfusionMatrix", () => {
  it("weightOf() keeps labels apart that look alike when joined", () => {
    const matrix = matrixOf({ "a>bc": 1, "ab>c": 2 });
    expect([matrix.weightOf("a", "bc"), matrix.weightOf("ab", "c")]).toEqual([1, 2]);
    expect(matrix.weightOf("abc", "")).toBe(0);
  });

  it("cells of one pair are added up", () => {
    const cell = { actual: "a", predicted: "b", count: 1, weight: 2, weightSquares: 4 };
    const matrix = new ConfusionMatrix([cell, cell]);
    expect([matrix.count, matrix.weight, matrix.effectiveCount, matrix.weightOf("a", "b")]).toEqual(
      [2, 4, 2, 4],
    );
  });
});
