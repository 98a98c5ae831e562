import { expect, it } from "vitest";
import { crossingProbability } from "./crossing-probability.ts";
import { normalQuantile } from "./normal-quantile.ts";
import { sampleRatioTest } from "./sample-ratio-test.ts";

/** Below it a split is usually held to be broken. */
const P_MIN = 0.001;

it.each([
  { counts: [1000, 1100], weights: [1, 1], statistic: 4.761905, p: 0.0290963 },
  { counts: [4900, 5100], weights: [0.5, 0.5], statistic: 4, p: 0.0455003 },
  { counts: [821588, 815482], weights: [50, 50], statistic: 22.774369, p: 1.8218e-6 },
  { counts: [9400, 600], weights: [95, 5], statistic: 21.052632, p: 4.468e-6 },
  { counts: [310, 340, 350], weights: [1, 1, 1], statistic: 2.6, p: 0.272532 },
])("sampleRatioTest() of $counts has p = $p", ({ counts, weights, statistic, p }) => {
  const found = sampleRatioTest(counts, weights);
  expect(found.statistic).toBeCloseTo(statistic, 6);
  expect(Math.abs(found.pValue / p - 1)).toBeLessThan(1e-4);
});

it("sampleRatioTest() tells what it expected, and does not care for the unit of the weights", () => {
  const { expected } = sampleRatioTest([9400, 600], [95, 5]);
  expect(expected).toEqual([9500, 500]);
  expect(sampleRatioTest([9400, 600], [0.95, 0.05]).pValue).toBeCloseTo(
    sampleRatioTest([9400, 600], [95, 5]).pValue,
    12,
  );
});

it("sampleRatioTest() needs some 430,000 units to see that an arm lost 1 %", () => {
  const ofUnits = (units: number): number =>
    sampleRatioTest([units / 2, (units / 2) * 0.99], [1, 1]).pValue;
  expect(ofUnits(420_000)).toBeGreaterThan(P_MIN);
  expect(ofUnits(440_000)).toBeLessThan(P_MIN);
});

it("sampleRatioTest() looked at 200 times for p below 0.001 calls 1.8 % of sound splits broken", () => {
  const bound = -normalQuantile(P_MIN / 2); // χ² of two arms is the square of a normal variable
  expect(crossingProbability(new Array<number>(200).fill(bound))).toBeCloseTo(0.018, 3);
});

it("sampleRatioTest() finds nothing wrong without units, and units wrong in an arm of weight 0", () => {
  expect(sampleRatioTest([0, 0], [1, 1])).toEqual({ statistic: 0, pValue: 1, expected: [0, 0] });
  expect(sampleRatioTest([9, 0], [1, 0]).pValue).toBe(1);
  expect(sampleRatioTest([9, 1], [1, 0]).pValue).toBe(0);
  expect(sampleRatioTest([50, 50, 1], [1, 1, 0])).toMatchObject({ statistic: Infinity, pValue: 0 });
});
