import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { propensityMean, type PropensitySums } from "./propensity-mean.ts";

interface Row {
  readonly propensity: number;
  readonly outcome: number;
}

function sumsOf(rows: readonly Row[]): PropensitySums {
  const sum = (term: (w: number, y: number) => number): number =>
    rows.reduce((total, { propensity, outcome }) => total + term(1 / propensity, outcome), 0);
  return {
    weight: sum((w) => w),
    sum: sum((w, y) => w * y),
    weightSquares: sum((w) => w * w),
    weightedSum: sum((w, y) => w * w * y),
    weightedSquares: sum((w, y) => w * w * y * y),
  };
}

it("propensityMean() with one propensity is the plain mean and its standard error", () => {
  const rows = [1, 2, 3, 6].map((outcome) => ({ propensity: 0.25, outcome }));
  const { value, standardError } = propensityMean(sumsOf(rows))!;
  expect(value).toBeCloseTo(3, 12);
  expect(standardError).toBeCloseTo(Math.sqrt(14 / 4 / 4), 12);
});

it("propensityMean() is right where the plain mean leans towards what the arm got most of", () => {
  const random = new TestRandom(13);
  const errors: number[] = [];
  let plain = 0;
  for (let run = 0; run < 300; run++) {
    const rows: Row[] = [];
    // Half the time the arm gets 10 % and everybody converts with 0.2, then 90 % and with 0.4: 0.3 on average.
    for (let i = 0; i < 2_000; i++) {
      const [propensity, rate] = i < 1_000 ? ([0.1, 0.2] as const) : ([0.9, 0.4] as const);
      if (random.next() >= propensity) continue;
      rows.push({ propensity, outcome: random.next() < rate ? 1 : 0 });
    }
    const { value, standardError } = propensityMean(sumsOf(rows))!;
    errors.push((value - 0.3) / standardError);
    plain += rows.reduce((sum, { outcome }) => sum + outcome, 0) / rows.length / 300;
  }
  expect(plain).toBeGreaterThan(0.37);
  expect(Math.abs(errors.reduce((sum, z) => sum + z, 0) / 300)).toBeLessThan(0.2);
  expect(errors.filter((z) => Math.abs(z) > 1.96).length / 300).toBeLessThan(0.1);
});

it("propensityMean() is undefined without rows", () => {
  expect(propensityMean(sumsOf([]))).toBeUndefined();
});
