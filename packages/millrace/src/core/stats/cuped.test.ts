import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { absoluteDifference } from "./absolute-difference.ts";
import { cuped, type CupedSums } from "./cuped.ts";
import { normalQuantile } from "./normal-quantile.ts";
import { summaryOf } from "./sample-summary.ts";

function sumsOf(pairs: readonly (readonly [x: number, y: number])[]): CupedSums {
  const sum = (term: (x: number, y: number) => number): number =>
    pairs.reduce((total, [x, y]) => total + term(x, y), 0);
  return {
    count: pairs.length,
    sumX: sum((x) => x),
    sumY: sum((_, y) => y),
    squaresX: sum((x) => x * x),
    squaresY: sum((_, y) => y * y),
    products: sum((x, y) => x * y),
  };
}

it("cuped() takes out of y what x foretells", () => {
  const y = [2.1, 3.9, 6.2, 7.8, 10.1, 12.2, 13.8, 16.1];
  const sums = sumsOf(y.map((value, i) => [i + 1, value] as const));
  const { theta, arms, varianceReduction } = cuped([sums]);
  expect(theta).toBeCloseTo(1.997619048, 9);
  const { count, sumY: sum, squaresY: squares } = sums;
  expect(summaryOf({ count, sum, squares }).variance).toBeCloseTo(23.9707143, 7);
  expect(arms[0]?.variance).toBeCloseTo(0.0278231, 7);
  expect(varianceReduction).toBeCloseTo(0.998839287, 9);
  expect(arms[0]?.mean).toBeCloseTo(9.025, 12);
});

it("cuped() leaves the effect as it is and makes its error smaller", () => {
  const random = new TestRandom(11);
  const normal = (): number => normalQuantile(random.next() || 0.5);
  let before = 0;
  let after = 0;
  const found: number[] = [];
  for (let run = 0; run < 200; run++) {
    const arm = (effect: number): CupedSums =>
      sumsOf(
        Array.from({ length: 300 }, () => {
          const x = 5 + normal();
          return [x, 3 * x + normal() + effect] as const;
        }),
      );
    const sums = [arm(0), arm(0.5)];
    const { arms, varianceReduction } = cuped(sums);
    expect(varianceReduction).toBeCloseTo(0.9, 1);
    const plain = sums.map(({ count, sumY: sum, squaresY: squares }) =>
      summaryOf({ count, sum, squares }),
    );
    const adjusted = absoluteDifference(arms[0]!, arms[1]!)!;
    found.push((adjusted.value - 0.5) / adjusted.standardError);
    before += absoluteDifference(plain[0]!, plain[1]!)!.standardError;
    after += adjusted.standardError;
  }
  expect(after / before).toBeCloseTo(Math.sqrt(0.1), 1);
  const mean = found.reduce((sum, z) => sum + z, 0) / found.length;
  const outside = found.filter((z) => Math.abs(z) > 1.96).length;
  expect(Math.abs(mean)).toBeLessThan(3 / Math.sqrt(found.length));
  expect(outside / found.length).toBeLessThan(0.1);
});

it("cuped() does not let a large effect of an arm into theta", () => {
  const pairs = Array.from({ length: 50 }, (_, i) => [i % 7, (i * 13) % 11] as const);
  const shifted = pairs.map(([x, y]) => [x + 1, y + 1_000] as const);
  expect(cuped([sumsOf(pairs), sumsOf(shifted)]).theta).toBeCloseTo(
    cuped([sumsOf(pairs)]).theta,
    8,
  );
});

it("cuped() changes nothing when x does not vary, and knows an arm without units", () => {
  const flat = sumsOf([
    [2, 1],
    [2, 5],
    [2, 3],
  ]);
  const none = sumsOf([]);
  const { theta, arms, varianceReduction } = cuped([flat, none]);
  expect([theta, varianceReduction]).toEqual([0, 0]);
  expect(arms[0]).toEqual({ count: 3, mean: 3, variance: 4 });
  expect(arms[1]).toEqual({ count: 0, mean: NaN, variance: NaN });
});
