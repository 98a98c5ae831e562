import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { SPLIT_P_MIN, sequentialSplitTest } from "./sequential-split-test.ts";

it("sequentialSplitTest() is what is worked out by hand", () => {
  // Of 3 units in the first of two equal arms, with concentration c: Π (c/2 + i)/(c + i) · 2³, i = 0, 1, 2.
  const ratio = (c: number): number =>
    [0, 1, 2].reduce((product, i) => (product * 2 * (c / 2 + i)) / (c + i), 1);
  const mean = (ratio(2) + ratio(100) + ratio(10_000)) / 3;
  expect(sequentialSplitTest([{ counts: [3, 0], weights: [1, 1] }])).toBeCloseTo(1 / mean, 10);
  expect(sequentialSplitTest([{ counts: [0, 0], weights: [1, 1] }])).toBe(1);
  expect(sequentialSplitTest([])).toBe(1);
});

it.each([
  { counts: [821_588, 815_482], weights: [50, 50], isBroken: true },
  { counts: [9400, 600], weights: [95, 5], isBroken: true },
  { counts: [20, 0], weights: [1, 1], isBroken: true },
  { counts: [50, 50, 1], weights: [1, 1, 0], isBroken: true },
  { counts: [4900, 5100], weights: [1, 1], isBroken: false },
  { counts: [310, 340, 350], weights: [1, 1, 1], isBroken: false },
  { counts: [900_500_000, 99_500_000], weights: [9, 1], isBroken: true },
  { counts: [900_000_000, 100_000_000], weights: [9, 1], isBroken: false },
])("sequentialSplitTest() of $counts by $weights: broken is $isBroken", (split) => {
  expect(sequentialSplitTest([split]) < SPLIT_P_MIN).toBe(split.isBroken);
});

it("sequentialSplitTest() multiplies what phases say, and does not mix their weights", () => {
  const first = { counts: [900, 100], weights: [9, 1] };
  const second = { counts: [500, 500], weights: [1, 1] };
  expect(sequentialSplitTest([first, second])).toBe(1);
  const off = { counts: [5250, 4750], weights: [1, 1] };
  expect(sequentialSplitTest([off])).toBeGreaterThan(sequentialSplitTest([off, off]));
});

it("sequentialSplitTest() needs some 620,000 units to see that an arm lost 1 %", () => {
  const ofUnits = (units: number): number =>
    sequentialSplitTest([{ counts: [units / 2, (units / 2) * 0.99], weights: [1, 1] }]);
  expect(ofUnits(600_000)).toBeGreaterThan(SPLIT_P_MIN);
  expect(ofUnits(640_000)).toBeLessThan(SPLIT_P_MIN);
});

it("sequentialSplitTest() calls fewer than 1 of 100 sound splits broken, looked at after every tenth unit", () => {
  const random = new TestRandom(2026);
  const SPLITS = 1_000;
  let broken = 0;
  for (let split = 0; split < SPLITS; split++) {
    const counts: [number, number, number] = [0, 0, 0];
    const look = (): boolean => sequentialSplitTest([{ counts, weights: [5, 3, 2] }]) < SPLIT_P_MIN;
    for (let unit = 1; unit <= 2_000; unit++) {
      const drawn = random.next();
      counts[drawn < 0.5 ? 0 : drawn < 0.8 ? 1 : 2]++;
      if (unit % 10 !== 0 || !look()) continue;
      broken++;
      break;
    }
  }
  expect(broken / SPLITS, `seed ${random.seed}`).toBeLessThanOrEqual(SPLIT_P_MIN);
});
