import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { seriesCorrelation } from "./series-correlation.ts";

/** A first-order autoregression of uniform noise. */
function seriesOf(correlation: number, count: number, random: TestRandom): number[] {
  let value = 0;
  const values: number[] = [];
  for (let i = -100; i < count; i++) {
    value = correlation * value + random.next() - 0.5;
    if (i >= 0) values.push(value);
  }
  return values;
}

it.each([0.3, 0.5, 0.7])("seriesCorrelation() of short series is %d on average", (correlation) => {
  const random = new TestRandom(20_261_122);
  let sum = 0;
  for (let i = 0; i < 1000; i++) sum += seriesCorrelation(seriesOf(correlation, 60, random));
  expect(Math.abs(sum / 1000 - correlation)).toBeLessThan(0.02);
});

it("seriesCorrelation() is 0 of values that alternate, and of a constant", () => {
  expect(seriesCorrelation([1, 2, 1, 2, 1, 2, 1, 2])).toBe(0);
  expect(seriesCorrelation([3, 3, 3])).toBe(0);
});

it("seriesCorrelation() of a straight line stays below 1", () => {
  expect(seriesCorrelation(Array.from({ length: 500 }, (_, i) => i))).toBe(0.99);
});
