import { describe, expect, it } from "vitest";
import { absoluteDifference } from "./absolute-difference.ts";
import type { Difference } from "./difference.ts";
import { fixedTest } from "./fixed-test.ts";
import { proportionSummary } from "./proportion-summary.ts";
import { relativeDifference } from "./relative-difference.ts";
import { summaryOf } from "./sample-summary.ts";

const CONTROL = summaryOf({ count: 3407, sum: 1396.87, squares: 52377.9767 });
const ARM = summaryOf({ count: 3461, sum: 2422.7, squares: 134698.29 });

function existing(difference: Difference | undefined): Difference {
  if (difference === undefined) throw new Error("There is no difference");
  return difference;
}

describe("fixedTest()", () => {
  it("fixedTest() gives Welch's interval and p-value of an absolute difference", () => {
    const difference = existing(absoluteDifference(CONTROL, ARM));
    expect(difference.value).toBeCloseTo(0.29, 10);
    expect(difference.standardError).toBeCloseTo(0.12478, 5);
    expect(difference.degrees).toBeCloseTo(5841.742, 3);
    expect(difference.count).toBe(6868);
    const { interval, pValue } = fixedTest(difference, 0.05);
    expect(interval.low).toBeCloseTo(0.04538, 5);
    expect(interval.high).toBeCloseTo(0.53462, 5);
    expect(pValue).toBeCloseTo(0.02016, 5);
  });

  it("fixedTest() gives those of a relative difference", () => {
    const difference = existing(relativeDifference(CONTROL, ARM));
    expect(difference.value).toBeCloseTo(0.70732, 5);
    expect(difference.standardError).toBeCloseTo(0.37879, 5);
    expect(difference.degrees).toBeCloseTo(5841.742, 3);
    const { interval, pValue } = fixedTest(difference, 0.05);
    expect(interval.low).toBeCloseTo(-0.03526, 5);
    expect(interval.high).toBeCloseTo(1.44989, 5);
    expect(pValue).toBeCloseTo(0.06191, 5);
  });

  it("fixedTest() gives those of two small proportions", () => {
    const control = proportionSummary(14, 28);
    const difference = existing(relativeDifference(control, proportionSummary(16, 30)));
    expect(difference.value).toBeCloseTo(0.06667, 5);
    const { interval, pValue } = fixedTest(difference, 0.05);
    expect(interval.low).toBeCloseTo(-0.47767, 5);
    expect(interval.high).toBeCloseTo(0.61101, 5);
    expect(pValue).toBeCloseTo(0.80707, 5);
  });

  it("fixedTest() has an interval that ends at 0 when alpha is the p-value", () => {
    const difference = existing(absoluteDifference(CONTROL, ARM));
    const { pValue } = fixedTest(difference, 0.05);
    expect(fixedTest(difference, pValue).interval.low).toBeCloseTo(0, 12);
  });

  it("fixedTest() mirrors when the arms change places", () => {
    const there = fixedTest(existing(absoluteDifference(CONTROL, ARM)), 0.1);
    const back = fixedTest(existing(absoluteDifference(ARM, CONTROL)), 0.1);
    expect(back.interval.low).toBeCloseTo(-there.interval.high, 14);
    expect(back.pValue).toBeCloseTo(there.pValue, 14);
  });

  it("fixedTest() says nothing when nothing varied", () => {
    const none = existing(absoluteDifference(proportionSummary(0, 9), proportionSummary(0, 9)));
    expect(none.degrees).toBe(16);
    expect(fixedTest(none, 0.05)).toEqual({
      interval: { low: -Infinity, high: Infinity },
      pValue: 1,
    });
  });
});

describe("relativeDifference()", () => {
  it("relativeDifference() is undefined without two units in each arm, or when the control arm's mean is 0", () => {
    const one = summaryOf({ count: 1, sum: 1, squares: 1 });
    const none = summaryOf({ count: 0, sum: 0, squares: 0 });
    for (const small of [one, none]) {
      expect(relativeDifference(small, ARM)).toBeUndefined();
      expect(relativeDifference(ARM, small)).toBeUndefined();
      expect(absoluteDifference(small, ARM)).toBeUndefined();
    }
    expect(relativeDifference(proportionSummary(0, 100), ARM)).toBeUndefined();
    expect(absoluteDifference(proportionSummary(0, 100), ARM)?.value).toBeCloseTo(0.7, 10);
  });

  it("relativeDifference() is positive when the arm has more, also where means are below 0", () => {
    const loss = summaryOf({ count: 10, sum: -100, squares: 1100 });
    const lessLoss = summaryOf({ count: 10, sum: -50, squares: 350 });
    expect(relativeDifference(loss, lessLoss)?.value).toBeCloseTo(0.5, 12);
    expect(relativeDifference(lessLoss, loss)?.value).toBeCloseTo(-1, 12);
  });

  it("relativeDifference() does not depend on the unit of the metric", () => {
    const inCents = (sum: number, squares: number, count: number) =>
      summaryOf({ count, sum: 100 * sum, squares: 10_000 * squares });
    const cents = relativeDifference(
      inCents(1396.87, 52377.9767, 3407),
      inCents(2422.7, 134698.29, 3461),
    );
    const plain = relativeDifference(CONTROL, ARM);
    expect(cents?.value).toBeCloseTo(plain?.value ?? NaN, 12);
    expect(cents?.standardError).toBeCloseTo(plain?.standardError ?? NaN, 12);
  });
});
