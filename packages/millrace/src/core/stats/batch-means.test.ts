import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { batchMeans } from "./batch-means.ts";

it("batchMeans() is √(s²/n) of values that do not depend on each other", () => {
  const values = [3, 1, 4, 1, 5, 9, 2, 6];
  const mean = 31 / 8;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 7;
  const found = batchMeans(values);
  expect(found.mean).toBeCloseTo(mean, 12);
  expect(found.standardError).toBeCloseTo(Math.sqrt(variance / 8), 12);
  expect(found).toMatchObject({ degrees: 7, length: 1 });
});

it("batchMeans() joins values that resemble their neighbours, as long as eight batches are left", () => {
  const steps = Array.from({ length: 64 }, (_, i) => Math.floor(i / 4) % 2);
  // Means of two are 0, 0, 1, 1, …: the next one says nothing of the one before.
  expect(batchMeans(steps).length).toBe(2);
  const rising = Array.from({ length: 65 }, (_, i) => i);
  expect(batchMeans(rising)).toMatchObject({ degrees: 7, length: 8 });
});

it("batchMeans() does not lose the scatter of large values that hardly differ", () => {
  const values = [0, 1, 0, 1, 1, 0, 1, 0].map((value) => 1e9 + value);
  expect(batchMeans(values).standardError).toBeCloseTo(Math.sqrt(2 / 7 / 8), 9);
});

it("batchMeans() has an error near to the true one where each value is nine tenths of the one before", () => {
  const random = new TestRandom(7);
  const SHARE = 0.9;
  const runs = Array.from({ length: 200 }, () => {
    let value = 0;
    return batchMeans(
      Array.from({ length: 512 }, () => (value = SHARE * value + random.next() - 0.5)),
    );
  });
  const truth = Math.sqrt(runs.reduce((sum, { mean }) => sum + mean * mean, 0) / runs.length);
  const claimed = runs.reduce((sum, run) => sum + run.standardError, 0) / runs.length;
  expect(claimed / truth, `seed ${random.seed}`).toBeGreaterThan(0.75);
  expect(claimed / truth, `seed ${random.seed}`).toBeLessThan(1.2);
});

it("batchMeans() of one value knows nothing of its scatter", () => {
  expect(batchMeans([5])).toMatchObject({ mean: 5, standardError: NaN });
});
