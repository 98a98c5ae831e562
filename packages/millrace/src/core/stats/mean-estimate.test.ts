import { expect, it } from "vitest";
import { effectiveCount } from "./effective-count.ts";
import { meanEstimate } from "./mean-estimate.ts";

function sumsOf(rows: readonly (readonly [value: number, weight: number])[]) {
  const sum = (read: (value: number, weight: number) => number): number =>
    rows.reduce((total, [value, weight]) => total + read(value, weight), 0);
  return {
    weight: sum((_, w) => w),
    weightSquares: sum((_, w) => w * w),
    sum: sum((x, w) => w * x),
    squares: sum((x, w) => w * x * x),
  };
}

it("effectiveCount() is the count of rows of equal weight, and less where weights differ", () => {
  expect(effectiveCount(30, 90)).toBe(10); // ten of weight 3
  expect(effectiveCount(11, 101)).toBeCloseTo(121 / 101, 12);
  expect(effectiveCount(0, 0)).toBe(0);
});

it("meanEstimate() gives the mean and the interval of the central limit theorem", () => {
  // 1, 2, 3, 4: s² = 5/4 by n, so the error is √(1.25 / 3).
  const found = meanEstimate(sumsOf([1, 2, 3, 4].map((value) => [value, 1])));
  expect(found?.value).toBe(2.5);
  expect(found?.interval.high).toBeCloseTo(2.5 + 1.959963984540054 * Math.sqrt(1.25 / 3), 12);
  expect(found?.interval.low).toBeCloseTo(2.5 - 1.959963984540054 * Math.sqrt(1.25 / 3), 12);
});

it("meanEstimate() is the same whatever unit the weights are in", () => {
  const rows = [
    [1, 2],
    [5, 1],
    [2, 7],
  ] as const;
  const tenfold = meanEstimate(sumsOf(rows.map(([value, weight]) => [value, 10 * weight])));
  const found = meanEstimate(sumsOf(rows));
  expect(found?.value).toBeCloseTo(2.1, 12);
  expect(tenfold?.interval.low).toBeCloseTo(found?.interval.low ?? NaN, 12);
});

it("meanEstimate() knows nothing of no row, and no end of one", () => {
  expect(meanEstimate(sumsOf([]))).toBeUndefined();
  expect(meanEstimate(sumsOf([[3, 0.1]]))).toEqual({
    value: expect.closeTo(3, 12) as number,
    interval: { low: -Infinity, high: Infinity },
  });
});
