import { expect, it } from "vitest";
import { wilsonInterval } from "./wilson-interval.ts";

// Of scipy 1.17.1, binomtest(…).proportion_ci(method="wilson").
it.each([
  [10, 100, 0.05522914, 0.17436566],
  [45, 50, 0.78639769, 0.95652424],
  [0, 10, 0, 0.27753279],
  [10, 10, 0.72246721, 1],
  [1, 1, 0.20654931, 1],
])("wilsonInterval(%d, %d) is %d to %d", (successes, count, low, high) => {
  const found = wilsonInterval(successes, count);
  expect(found.low).toBeCloseTo(low, 7);
  expect(found.high).toBeCloseTo(high, 7);
});

it("wilsonInterval() takes weighted counts, and widens with the confidence", () => {
  const { low, high } = wilsonInterval(2.5, 5.5);
  expect(low).toBeGreaterThan(wilsonInterval(2.5, 5.5, 0.99).low);
  expect(high).toBeLessThan(wilsonInterval(2.5, 5.5, 0.99).high);
});

it("wilsonInterval() says nothing of nothing, and keeps sums that rounding led beyond inside", () => {
  expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  expect(wilsonInterval(10 + 1e-12, 10).high).toBe(1);
  expect(wilsonInterval(-1e-12, 10).low).toBe(0);
});
