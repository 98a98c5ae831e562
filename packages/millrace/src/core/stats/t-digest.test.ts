import { describe, expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { EXACT_MAX, TDigest } from "./t-digest.ts";

function digestOf(values: Iterable<number>, compression?: number): TDigest {
  const digest = new TDigest(compression);
  for (const value of values) digest.add(value);
  return digest;
}

function lognormal(count: number, seed: number): Float64Array {
  const random = new TestRandom(seed);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Float64Array.from({ length: count }, () => Math.exp(normal()));
}

/** How far the rank of what was found is from the rank asked for, as a share of all values. */
function rankError(ascending: Float64Array, found: number, share: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) < found) low = middle + 1;
    else high = middle;
  }
  return Math.abs(low / ascending.length - share);
}

/** Twice and more the largest rank error seen over several seeds. */
const RANK_ERROR_MAX = [
  [0.5, 1e-4],
  [0.9, 1e-4],
  [0.95, 1e-4],
  [0.99, 5e-5],
  [0.999, 3e-5],
  [0.9999, 1e-5],
] as const;

describe("TDigest", () => {
  it("quantile() is exact as long as every value is kept, half way between two neighbours", () => {
    const digest = digestOf(Array.from({ length: 10_000 }, (_, at) => 10_000 - at));
    const shares = [0, 0.5, 0.9, 0.95, 0.99, 1];
    expect(shares.map((share) => digest.quantile(share))).toEqual([
      1, 5000.5, 9000.5, 9500.5, 9900.5, 10_000,
    ]);
    expect([digest.count, digest.sum, digest.min, digest.max]).toEqual([
      10_000, 50_005_000, 1, 10_000,
    ]);
  });

  it("quantile() of evenly spread values is right to a thousandth, however little it may keep", () => {
    const digest = digestOf(
      Array.from({ length: 10 * EXACT_MAX }, (_, at) => ((at * 7919) % (10 * EXACT_MAX)) + 1),
      100,
    );
    for (const share of [0.01, 0.5, 0.9, 0.95, 0.99]) {
      expect(digest.quantile(share) / (10 * EXACT_MAX)).toBeCloseTo(share, 3);
    }
  });

  it("quantile() of 3 million lognormal values has the rank it should have", () => {
    const values = lognormal(3_000_000, 5);
    const digest = digestOf(values);
    values.sort();
    const errors = RANK_ERROR_MAX.map(([share]) =>
      rankError(values, digest.quantile(share), share),
    );
    for (const [at, [, limit]] of RANK_ERROR_MAX.entries()) expect(errors[at]).toBeLessThan(limit);
    expect([digest.min, digest.max]).toEqual([values[0], values.at(-1)]);
  });

  it("merge() stays within the same error, whichever parts come in whichever order", () => {
    const values = lognormal(600_000, 17);
    const parts = [
      [400_000, 600_000],
      [0, 100],
      [100, 250_000],
      [250_000, 400_000],
    ] as const;
    const merged = new TDigest();
    for (const [from, to] of parts) merged.merge(digestOf(values.subarray(from, to)));
    values.sort();
    for (const [share, limit] of RANK_ERROR_MAX) {
      expect(rankError(values, merged.quantile(share), share)).toBeLessThan(2 * limit);
    }
    expect([merged.count, merged.min, merged.max]).toEqual([600_000, values[0], values.at(-1)]);
    expect(merged.sum).toBeCloseTo(
      values.reduce((sum, value) => sum + value, 0),
      3,
    );
  });

  it("merge() of two that kept every value is exact", () => {
    const merged = digestOf([3, 1]);
    merged.merge(digestOf([2, 4]));
    merged.merge(new TDigest());
    expect([merged.quantile(0.5), merged.count, merged.sum]).toEqual([2.5, 4, 10]);
  });

  it("merge() with itself doubles what it has", () => {
    const digest = digestOf([1, 2, 3]);
    digest.merge(digest);
    expect([digest.count, digest.sum, digest.quantile(0.5)]).toEqual([6, 12, 2]);
  });

  it("quantile() never falls, and is the value itself where all are the same", () => {
    const random = new TestRandom(23);
    const digest = digestOf(Array.from({ length: 100_000 }, () => random.below(7)));
    let before = -1;
    for (let share = 0; share <= 1; share += 0.001) {
      const found = digest.quantile(share);
      expect(found).toBeGreaterThanOrEqual(before);
      before = found;
    }
    expect(digestOf(new Array(50_000).fill(0.1) as number[]).quantile(0.999)).toBe(0.1);
  });

  it("quantile() takes values that come in order", () => {
    for (const sign of [1, -1]) {
      const digest = new TDigest();
      for (let value = 0; value < 200_000; value++) digest.add(sign * value);
      expect(Math.abs(digest.quantile(0.5))).toBeCloseTo(100_000, -2);
    }
  });

  it("has no quantile without values, and leaves out NaN", () => {
    const digest = digestOf([Number.NaN]);
    expect([digest.count, digest.quantile(0.5), digest.min, digest.max]).toEqual([
      0,
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    expect(digestOf([7]).quantile(0.99)).toBe(7);
  });
});
