import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { bootstrapInterval } from "./bootstrap-interval.ts";
import {
  regressionReport,
  type RegressionReport,
  type RegressionSums,
} from "./regression-report.ts";

interface Row {
  readonly actual: number;
  readonly predicted: number;
  readonly weight: number;
}

function sumsOf(rows: readonly Row[]): RegressionSums {
  const sum = (read: (row: Row) => number): number =>
    rows.reduce((total, row) => total + row.weight * read(row), 0);
  const weight = sum(() => 1);
  const mean = sum(({ actual }) => actual) / weight;
  const e = ({ actual, predicted }: Row): number => predicted - actual;
  const d = ({ actual }: Row): number => actual - mean;
  return {
    count: rows.length,
    weight,
    weightSquares: rows.reduce((total, row) => total + row.weight ** 2, 0),
    error: sum(e),
    absolute: sum((row) => Math.abs(e(row))),
    square: sum((row) => e(row) ** 2),
    fourth: sum((row) => e(row) ** 4),
    spread: sum((row) => d(row) ** 2),
    spreadFourth: sum((row) => d(row) ** 4),
    cross: sum((row) => e(row) ** 2 * d(row) ** 2),
  };
}

function reportOf(rows: readonly Row[]): RegressionReport {
  const report = regressionReport(sumsOf(rows));
  if (report === undefined) throw new Error("There is no report");
  return report;
}

it("regressionReport() counts by hand", () => {
  const report = reportOf([
    { actual: 1, predicted: 2, weight: 1 },
    { actual: 3, predicted: 2, weight: 1 },
    { actual: 5, predicted: 8, weight: 2 },
  ]);
  // errors 1, −1, 3, 3; mean of the actual values 3.5, squares 6.25, 0.25, 2.25, 2.25
  expect(report.bias.value).toBeCloseTo(1.5, 12);
  expect(report.mae.value).toBeCloseTo(2, 12);
  expect(report.rmse.value).toBeCloseTo(Math.sqrt(5), 12);
  expect(report.r2?.value).toBeCloseTo(1 - 20 / 11, 12);
  expect(report.effectiveCount).toBeCloseTo(16 / 6, 12);
});

const seed = 42;
it(`regressionReport() gives the intervals that resampling gives (seed ${seed})`, () => {
  const random = new TestRandom(seed);
  const rows = Array.from({ length: 500 }, () => {
    const actual = 10 * random.next();
    return { actual, predicted: actual + 3 * (random.next() - 0.4), weight: 1 };
  });
  const report = reportOf(rows);
  for (const measure of ["rmse", "mae", "bias", "r2"] as const) {
    const { low, high } = bootstrapInterval({
      count: rows.length,
      resamples: 500,
      random: () => random.next(),
      statistic: (sample) => {
        const drawn = Array.from(sample, (index) => rows[index] as Row);
        return reportOf(drawn)[measure]?.value ?? NaN;
      },
    });
    const { low: from = NaN, high: to = NaN } = report[measure]?.interval ?? {};
    expect(Math.abs(from - low)).toBeLessThan(0.2 * (high - low));
    expect(Math.abs(to - high)).toBeLessThan(0.2 * (high - low));
  }
});

it("regressionReport() has no R² where nothing varies, and nothing of no row", () => {
  const same = { actual: 2, predicted: 3, weight: 1 };
  expect(reportOf([same, same]).r2).toBeUndefined();
  expect(reportOf([same]).mae.interval).toEqual({ low: 0, high: Infinity });
  expect(regressionReport(sumsOf([]))).toBeUndefined();
});
