import { expect, it } from "vitest";
import { mixtureRatio } from "./mixture-ratio.ts";
import { MixtureTest } from "./mixture-test.ts";

it.each([
  { difference: 0.05, variance: 0.5, count: 1_000, effectVariance: 0.01, ratio: 2.36007 },
  { difference: 0.1, variance: 0.5, count: 1_000, effectVariance: 0.01, ratio: 2985.577 },
  { difference: 0.02, variance: 0.18, count: 5_000, effectVariance: 1e-4, ratio: 30.581625 },
  { difference: 0, variance: 0.5, count: 1_000, effectVariance: 0.01, ratio: 0.218218 },
])("mixtureRatio() of $difference in $count units is $ratio", ({ ratio, ...sample }) => {
  expect(Math.abs(mixtureRatio(sample) / ratio - 1)).toBeLessThan(1e-6);
});

it("mixtureRatio() is 1 while nothing is known, and infinite of what cannot be chance", () => {
  const known = { difference: 1, variance: 1, count: 10, effectVariance: 1 };
  expect(mixtureRatio({ ...known, variance: 0 })).toBe(1);
  expect(mixtureRatio({ ...known, count: 0 })).toBe(1);
  expect(mixtureRatio({ ...known, difference: 1_000 })).toBe(Infinity);
});

it("MixtureTest keeps the least p-value it has seen", () => {
  const test = new MixtureTest(0.01);
  expect(test.pValue).toBe(1);
  expect(test.look({ difference: 0, variance: 0.5, count: 100 })).toBe(1);
  expect(test.look({ difference: 0.1, variance: 0.5, count: 1_000 })).toBeCloseTo(1 / 2985.577, 9);
  expect(test.look({ difference: 0.05, variance: 0.5, count: 1_000 })).toBeCloseTo(1 / 2985.577, 9);
  expect(test.pValue).toBeCloseTo(1 / 2985.577, 9);
});

it("MixtureTest has found for good what is infinitely likely", () => {
  const test = new MixtureTest(1);
  expect(test.look({ difference: 1_000, variance: 1, count: 10 })).toBe(0);
});
