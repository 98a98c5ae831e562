import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { normalCdf } from "./normal-cdf.ts";
import { proportionSummary } from "./proportion-summary.ts";
import type { SampleSummary } from "./sample-summary.ts";
import { thompsonWeights, type ThompsonOptions } from "./thompson-weights.ts";

function weightsOf(
  arms: readonly SampleSummary[],
  options: Partial<ThompsonOptions> = {},
): number[] {
  const random = new TestRandom(42);
  return thompsonWeights(arms, { goal: "increase", random: () => random.next(), ...options });
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

it("thompsonWeights() of two arms are the probability that one is better", () => {
  const arms = [
    { count: 400, mean: 1, variance: 4 },
    { count: 900, mean: 1.1, variance: 9 },
  ];
  // Both means have the standard error 0.1.
  const chance = normalCdf(0.1 / Math.hypot(0.1, 0.1));
  const [, second] = weightsOf(arms, { floor: 0 });
  expect(Math.abs((second ?? NaN) - chance)).toBeLessThan(0.015);
});

it("thompsonWeights() add the floor as floor + (1 − arms · floor) · w, and add up to 1", () => {
  const arms = [10, 20, 90].map((successes) => proportionSummary(successes, 100));
  const weights = weightsOf(arms, { floor: 0.05 });
  expect(weights[0]).toBeCloseTo(0.05, 12);
  expect(weights[2]).toBeCloseTo(0.05 + 0.85, 12);
  expect(sumOf(weights)).toBeCloseTo(1, 12);
});

it("thompsonWeights() prefer the least mean when less is better", () => {
  const arms = [10, 20, 90].map((successes) => proportionSummary(successes, 100));
  const [low, middle, high] = weightsOf(arms, { goal: "decrease" });
  expect(low).toBeGreaterThan(0.9);
  expect(middle).toBeLessThan(0.1);
  expect(high).toBeCloseTo(0.01, 12);
});

it("thompsonWeights() of mirrored arms are the same when the goal is mirrored", () => {
  const arms = [1, 1.05, 1.2].map((mean) => ({ count: 500, mean, variance: 3 }));
  const mirrored = arms.map((arm) => ({ ...arm, mean: -arm.mean }));
  expect(weightsOf(mirrored, { goal: "decrease" })).toEqual(weightsOf(arms));
});

it("thompsonWeights() are equal while an arm has too few units", () => {
  const arms = [proportionSummary(90, 99), proportionSummary(10, 1_000)];
  expect(weightsOf(arms)).toEqual([0.5, 0.5]);
  expect(weightsOf([proportionSummary(0, 0), ...arms], { unitsMin: 0 })).toEqual([
    1 / 3,
    1 / 3,
    1 / 3,
  ]);
});

it("thompsonWeights() learn the better arm, which then gets most units", () => {
  const random = new TestRandom(9);
  const rates = [0.1, 0.15];
  const units = [0, 0];
  const successes = [0, 0];
  let weights = [0.5, 0.5];
  for (let batch = 0; batch < 50; batch++) {
    for (let i = 0; i < 200; i++) {
      const arm = random.next() < (weights[0] ?? NaN) ? 0 : 1;
      units[arm]! += 1;
      if (random.next() < rates[arm]!) successes[arm]! += 1;
    }
    weights = weightsOf(units.map((count, arm) => proportionSummary(successes[arm]!, count)));
  }
  expect(weights[1]).toBeCloseTo(0.99, 1);
  expect(units[1]! / sumOf(units)).toBeGreaterThan(0.8);
});
