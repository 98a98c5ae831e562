import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { blockJackknife } from "./block-jackknife.ts";
import { quantile } from "./quantile.ts";

it("blockJackknife() of a mean without blocks is √(s²/n)", () => {
  const values = [3, 1, 4, 1, 5, 9, 2, 6];
  const meanWithout = (from: number, until: number): number => {
    const kept = values.filter((_, i) => i < from || i >= until);
    return kept.reduce((sum, value) => sum + value, 0) / kept.length;
  };
  const variance = values.reduce((sum, value) => sum + (value - 31 / 8) ** 2, 0) / 7;
  const { standardError, degrees } = blockJackknife(values.length, 1, meanWithout);
  expect(standardError).toBeCloseTo(Math.sqrt(variance / 8), 12);
  expect(degrees).toBe(7);
});

it("blockJackknife() leaves out each value once, in blocks of at least the length that is asked for", () => {
  const ranges: [number, number][] = [];
  const { degrees } = blockJackknife(103, 10, (from, until) => {
    ranges.push([from, until]);
    return 0;
  });
  expect(degrees).toBe(9);
  expect(ranges[0]?.[0]).toBe(0);
  expect(ranges.at(-1)?.[1]).toBe(103);
  for (const [i, [from, until]] of ranges.entries()) {
    expect(until - from).toBeGreaterThanOrEqual(10);
    if (i > 0) expect(from).toBe(ranges[i - 1]?.[1]);
  }
});

it("blockJackknife() has the error of a median that the normal distribution gives it", () => {
  const random = new TestRandom(11);
  const COUNT = 3_000;
  let squares = 0;
  const RUNS = 40;
  for (let run = 0; run < RUNS; run++) {
    const values = Array.from({ length: COUNT }, () => random.next());
    const { standardError } = blockJackknife(COUNT, 1, (from, until) =>
      quantile(Float64Array.from(values.filter((_, i) => i < from || i >= until)).toSorted(), 0.5),
    );
    squares += standardError ** 2;
  }
  // √(q(1 − q)/n)/f of an even distribution from 0 to 1.
  const truth = 0.5 / Math.sqrt(COUNT);
  expect(Math.sqrt(squares / RUNS) / truth, `seed ${random.seed}`).toBeGreaterThan(0.8);
  expect(Math.sqrt(squares / RUNS) / truth, `seed ${random.seed}`).toBeLessThan(1.25);
});
