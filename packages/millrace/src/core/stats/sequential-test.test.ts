import { describe, expect, it } from "vitest";
import type { Difference } from "./difference.ts";
import { normalQuantile } from "./normal-quantile.ts";
import { proportionSummary } from "./proportion-summary.ts";
import { relativeDifference } from "./relative-difference.ts";
import { summaryOf } from "./sample-summary.ts";
import { sequenceShape } from "./sequence-shape.ts";
import { sequentialBound } from "./sequential-bound.ts";
import { sequentialTest } from "./sequential-test.ts";

function ofUnits(count: number, z = 0): Difference {
  return { value: z, standardError: 1, degrees: count - 2, count };
}

describe("sequentialTest()", () => {
  it.each([
    [1_000, 0.089085098],
    [5_000, 0.039840067],
    [10_000, 0.028171181],
  ])("sequenceShape() tuned to %d units is %d", (unitsTuned, rho) => {
    expect(sequenceShape({ alpha: 0.05, unitsTuned })).toBeCloseTo(rho, 9);
  });

  it.each([
    [100, 3.4156],
    [1_000, 1.7163],
    [5_000, 1.5486],
    [10_000, 1.562],
    [100_000, 1.7025],
  ])("sequentialTest() of %d units is %d times as wide as 1.96 errors", (count, factor) => {
    const { interval } = sequentialTest(ofUnits(count), { alpha: 0.05 });
    expect(interval.high / 1.959963984540054).toBeCloseTo(factor, 4);
    expect(interval.low).toBe(-interval.high);
  });

  it.each([
    [3, 0.054948],
    [4, 0.002455],
    [-4, 0.002455],
    [0, 1],
  ])("sequentialTest() of z = %d at 5,000 units has p = %d", (z, p) => {
    expect(sequentialTest(ofUnits(5_000, z), { alpha: 0.05 }).pValue).toBeCloseTo(p, 6);
  });

  it("sequentialTest() gives the interval of a relative difference", () => {
    const control = summaryOf({ count: 3000, sum: 1396.87, squares: 52377.9767 });
    const arm = summaryOf({ count: 3461, sum: 2422.7, squares: 134698.29 });
    const difference = relativeDifference(control, arm) as Difference;
    const { interval, pValue } = sequentialTest(difference, { alpha: 0.05, unitsTuned: 1_000 });
    expect(difference.value).toBeCloseTo(0.50336, 5);
    expect(interval.low).toBeCloseTo(-0.55844, 5);
    expect(interval.high).toBeCloseTo(1.56516, 5);
    expect(pValue).toBe(1);
  });

  it("sequentialTest() gives the interval of two proportions", () => {
    const control = proportionSummary(1396, 3000);
    const difference = relativeDifference(control, proportionSummary(2422, 3461)) as Difference;
    const { interval } = sequentialTest(difference, { alpha: 0.05, unitsTuned: 5_000 });
    expect(difference.value).toBeCloseTo(0.50386, 5);
    expect(interval.low).toBeCloseTo(0.40098, 5);
    expect(interval.high).toBeCloseTo(0.60675, 5);
  });

  it("sequentialTest() has an interval without 0 exactly when p is below alpha", () => {
    for (let z = 0; z < 6; z += 0.05) {
      const { interval, pValue } = sequentialTest(ofUnits(2_000, z), { alpha: 0.05 });
      expect(pValue < 0.05, `z ${z}`).toBe(interval.low > 0);
    }
  });

  it("sequentialTest() and sequentialBound() say nothing when nothing varied", () => {
    const none = { ...ofUnits(100), standardError: 0 };
    expect(sequentialTest(none, { alpha: 0.05 })).toEqual({
      interval: { low: -Infinity, high: Infinity },
      pValue: 1,
    });
    expect(sequentialBound(none, { alpha: 0.05 })).toEqual({ low: -Infinity, high: Infinity });
  });
});

describe("sequentialBound()", () => {
  it("sequentialBound() of 5 % is nearer than the interval of 5 %, farther than that of 20 %", () => {
    for (const count of [100, 5_000, 100_000]) {
      const bound = sequentialBound(ofUnits(count), { alpha: 0.05 });
      const interval = (alpha: number) => sequentialTest(ofUnits(count), { alpha }).interval.high;
      expect(bound.high).toBeLessThan(interval(0.05));
      expect(bound.high).toBeGreaterThan(interval(0.2));
      expect(bound.low).toBe(-bound.high);
    }
  });

  it("sequentialBound() follows its formula, here worked out step by step", () => {
    // 2α = 0.1: −2 ln 0.1 = 4.605170186, ln 5.605170186 = 1.723689419, ρ² = 6.328859605/5000 = 0.001265771921
    // N = 5000: Nρ² + 1 = 7.328859605; √ = 2.707186659; ln(1 + 27.07186659) = 3.334767
    // √(2 · 7.328859605 · 3.334767 / 6.328859605) = 2.7791
    const { high } = sequentialBound(ofUnits(5_000), { alpha: 0.05 });
    expect(high).toBeCloseTo(2.7791, 4);
    expect(high / -normalQuantile(0.05)).toBeCloseTo(1.6895, 3);
  });
});
