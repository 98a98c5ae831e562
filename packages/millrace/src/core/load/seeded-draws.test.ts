import { expect, test } from "vitest";
import { SeededDraws, type DrawPurpose } from "./seeded-draws.ts";

test("SeededDraws gives the same numbers for the same seed, purpose and counter, in any order", () => {
  const draws = new SeededDraws(7, "row");
  const first = numbersAt(draws, 5_000_000_000);
  numbersAt(draws, 3);
  expect(numbersAt(draws, 5_000_000_000)).toEqual(first);
  expect(numbersAt(new SeededDraws(7, "row"), 5_000_000_000)).toEqual(first);
});

test("SeededDraws gives other numbers for another seed, purpose or counter", () => {
  const seen = new Set<number>();
  const seeds = [0, 1, 2, -1, 2 ** 32, 2 ** 32 + 1];
  const purposes: DrawPurpose[] = ["gap", "target", "row", "size", "uuid"];
  const counters = [0, 1, 2, 2 ** 32, 2 ** 32 + 1];
  for (const seed of seeds) {
    for (const purpose of purposes) {
      const draws = new SeededDraws(seed, purpose);
      for (const counter of counters) seen.add(numbersAt(draws, counter)[0] as number);
    }
  }
  expect(seen.size).toBe(seeds.length * purposes.length * counters.length);
});

test("SeededDraws spreads evenly, along one request and over first numbers of many", () => {
  const along = new SeededDraws(1, "gap");
  expect(chiSquared(() => along.next())).toBeLessThan(LIMIT);
  const over = new SeededDraws(1, "target");
  let counter = 0;
  const firstOfNext = (): number => {
    over.startAt(counter++);
    return over.next();
  };
  expect(chiSquared(firstOfNext)).toBeLessThan(LIMIT);
});

test("SeededDraws has no memory: a number says nothing of the next one", () => {
  const draws = new SeededDraws(3, "gap");
  const count = 100_000;
  let sum = 0;
  for (let i = 0, last = draws.next(); i < count; i++) {
    const next = draws.next();
    sum += (last - 0.5) * (next - 0.5);
    last = next;
  }
  // The correlation of independent numbers is within 5 standard errors of 0.
  expect(Math.abs((sum / count) * 12)).toBeLessThan(5 / Math.sqrt(count));
});

test("below() reaches every whole number under its limit, and no other", () => {
  const draws = new SeededDraws(1, "row");
  const seen = new Set<number>();
  for (let i = 0; i < 1000; i++) seen.add(draws.below(7));
  expect([...seen].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

function numbersAt(draws: SeededDraws, counter: number): number[] {
  draws.startAt(counter);
  return [draws.next(), draws.next(), draws.next()];
}

const BINS = 100;

/** Of 99 degrees of freedom: beyond it in one of 100,000 runs. */
const LIMIT = 170;

function chiSquared(next: () => number): number {
  const count = 100_000;
  const bins = new Float64Array(BINS);
  for (let i = 0; i < count; i++) bins[Math.floor(next() * BINS)]!++;
  const expected = count / BINS;
  return bins.reduce((sum, found) => sum + (found - expected) ** 2 / expected, 0);
}
