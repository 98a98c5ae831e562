import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { bootstrapInterval } from "./bootstrap-interval.ts";
import { quantile } from "./quantile.ts";

const seed = 7;

it(`bootstrapInterval() comes close to the interval of the mean that theory gives (seed ${seed})`, () => {
  const random = new TestRandom(seed);
  const values = Array.from({ length: 400 }, () => random.next());
  const mean = (sample: Uint32Array): number =>
    sample.reduce((sum, index) => sum + (values[index] ?? NaN), 0) / sample.length;
  const count = values.length;
  const found = bootstrapInterval({ count, statistic: mean, random: () => random.next() });
  const all = mean(Uint32Array.from(values.keys()));
  const half = 1.96 * Math.sqrt(1 / 12 / count); // of a uniform variable
  expect(found.low).toBeCloseTo(all - half, 1.9);
  expect(found.high).toBeCloseTo(all + half, 1.9);
  expect(found.high - found.low).toBeGreaterThan(half);
});

it("bootstrapInterval() gives the same for the same randomness, and a point for one row", () => {
  const run = (confidence: number) => {
    const random = new TestRandom(seed);
    const statistic = (sample: Uint32Array): number => Math.max(...sample);
    return bootstrapInterval({ count: 50, statistic, random: () => random.next(), confidence });
  };
  expect(run(0.9)).toEqual(run(0.9));
  expect(run(0.5).low).toBeGreaterThan(run(0.9).low);
  expect(
    bootstrapInterval({ count: 1, statistic: () => 3, random: () => 0.999, resamples: 10 }),
  ).toEqual({ low: 3, high: 3 });
});

it("quantile() interpolates between two values", () => {
  expect([0, 0.25, 0.5, 0.9, 1].map((share) => quantile([1, 2, 3, 4], share))).toEqual([
    1, 1.75, 2.5, 3.7, 4,
  ]);
  expect(quantile([5], 0.3)).toBe(5);
});
