import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { absoluteDifference } from "./absolute-difference.ts";
import { proportionSummary } from "./proportion-summary.ts";
import { ratioSummary, type RatioSums } from "./ratio-summary.ts";
import { summaryOf } from "./sample-summary.ts";
import { sequentialBound } from "./sequential-bound.ts";
import { shareSummary } from "./share-summary.ts";

function sumsOf(units: readonly (readonly [y: number, x: number])[]): RatioSums {
  const sum = (term: (y: number, x: number) => number): number =>
    units.reduce((total, [y, x]) => total + term(y, x), 0);
  return {
    count: units.length,
    numerator: sum((y) => y),
    denominator: sum((_, x) => x),
    numeratorSquares: sum((y) => y * y),
    denominatorSquares: sum((_, x) => x * x),
    products: sum((y, x) => x * y),
  };
}

it("ratioSummary() is a mean when every unit has the denominator 1", () => {
  const values = [3, 1, 4, 1, 5, 9, 2, 6];
  const found = ratioSummary(sumsOf(values.map((y) => [y, 1] as const)));
  const sums = { count: 8, sum: 31, squares: 173 };
  expect(found.mean).toBeCloseTo(summaryOf(sums).mean, 12);
  expect(found.variance).toBeCloseTo(summaryOf(sums).variance, 12);
});

it("ratioSummary() has the standard error of the delta method", () => {
  const units = [
    [1, 4],
    [0, 2],
    [3, 3],
    [2, 7],
    [1, 1],
  ] as const;
  // var(y) 1.3, var(x) 5.3, cov(x, y) 1.05, means 1.4 and 3.4, by hand.
  const ratio = 7 / 17;
  const wanted = (1.3 - 2 * ratio * 1.05 + ratio * ratio * 5.3) / 3.4 ** 2;
  expect(ratioSummary(sumsOf(units))).toEqual({
    count: 5,
    mean: ratio,
    variance: expect.closeTo(wanted, 12) as number,
  });
});

it("ratioSummary() knows that the requests of one unit are not independent", () => {
  // Half the units always fail, half never: a thousand requests tell no more than ten units.
  const units = Array.from({ length: 10 }, (_, i) => [i < 5 ? 100 : 0, 100] as const);
  const { count, mean, variance } = ratioSummary(sumsOf(units));
  const asIfIndependent = proportionSummary(500, 1_000);
  expect(mean).toBe(asIfIndependent.mean);
  expect(Math.sqrt(variance / count)).toBeCloseTo(0.5 / 3, 12);
  expect(Math.sqrt(asIfIndependent.variance / 1_000)).toBeCloseTo(0.0158, 4);
});

it("ratioSummary() has intervals that hold the ratio as often as they say", () => {
  const random = new TestRandom(7);
  let held = 0;
  for (let run = 0; run < 400; run++) {
    const units = Array.from({ length: 200 }, () => {
      const requests = 1 + random.below(20);
      const rate = random.next() * 0.4; // of the unit: 0.2 on average
      const failed = Array.from({ length: requests }, () => random.next() < rate);
      return [failed.filter(Boolean).length, requests] as const;
    });
    const { mean, variance } = ratioSummary(sumsOf(units));
    if (Math.abs(mean - 0.2) < 1.96 * Math.sqrt(variance / 200)) held++;
  }
  expect(held).toBeGreaterThan(365);
  expect(held).toBeLessThan(395);
});

it("ratioSummary() and shareSummary() know no variance of fewer than two units", () => {
  for (const summary of [ratioSummary, shareSummary]) {
    expect(summary(sumsOf([[1, 2]]))).toEqual({ count: 1, mean: 0.5, variance: NaN });
    expect(summary(sumsOf([])).mean).toBeNaN();
  }
});

it("shareSummary() is ratioSummary() where there is enough to see", () => {
  const units = Array.from({ length: 1_000 }, (_, i) => [i % 3 === 0 ? 2 : 0, 3] as const);
  const plain = ratioSummary(sumsOf(units));
  const found = shareSummary(sumsOf(units));
  expect(found.mean).toBe(plain.mean);
  expect(found.variance / plain.variance).toBeCloseTo(1, 2);
  expect(found.variance).toBeGreaterThanOrEqual(plain.variance);
});

it("shareSummary() lets two arms without an error be told to be alike, once they have enough units", () => {
  const clean = (count: number) =>
    shareSummary(sumsOf(Array.from({ length: count }, () => [0, 4] as const)));
  const highOf = (count: number): number => {
    const difference = absoluteDifference(clean(count), clean(count));
    return difference === undefined ? NaN : sequentialBound(difference, { alpha: 0.05 }).high;
  };
  expect(clean(1_000).mean).toBe(0);
  expect(highOf(20)).toBeGreaterThan(0.1);
  expect(highOf(2_000)).toBeLessThan(0.002);
});
