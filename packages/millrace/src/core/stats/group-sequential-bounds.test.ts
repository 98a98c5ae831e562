import { describe, expect, it } from "vitest";
import { crossingProbability } from "./crossing-probability.ts";
import { gaussLegendre } from "./gauss-legendre.ts";
import { groupSequentialBounds } from "./group-sequential-bounds.ts";
import { normalQuantile } from "./normal-quantile.ts";

/** Of one look at 5 %: about 1.96. */
const ONE_LOOK = normalQuantile(0.975);

describe("crossingProbability()", () => {
  it.each([
    [1, 0.05],
    [2, 0.08312],
    [3, 0.10726],
    [5, 0.14169],
    [10, 0.19336],
  ])("crossingProbability() of %d looks at what is meant for one is %d", (looks, probability) => {
    const bounds = new Array<number>(looks).fill(ONE_LOOK);
    expect(crossingProbability(bounds)).toBeCloseTo(probability, 5);
  });

  it("crossingProbability() does not change by a look that nothing can leave at", () => {
    const with1 = crossingProbability([ONE_LOOK * Math.SQRT2, 100]);
    expect(with1).toBeCloseTo(crossingProbability([ONE_LOOK * Math.SQRT2]), 10);
    // Three looks whose first cannot be left are no more than the last two of them.
    const last = crossingProbability([100, 100, ONE_LOOK]);
    expect(last).toBeCloseTo(0.05, 10);
    expect(crossingProbability([])).toBe(0);
  });
});

describe("groupSequentialBounds()", () => {
  it.each([
    ["pocock", 2, 2.1783],
    ["pocock", 3, 2.2895],
    ["pocock", 5, 2.4132],
    ["obrien-fleming", 2, 1.9774],
    ["obrien-fleming", 3, 2.004],
    ["obrien-fleming", 5, 2.0401],
  ] as const)("groupSequentialBounds() of %s with %d looks ends at %d", (shape, looks, last) => {
    expect(groupSequentialBounds(shape, looks, 0.05).at(-1)).toBeCloseTo(last, 4);
  });

  it("groupSequentialBounds() of O'Brien and Fleming are high first", () => {
    const wanted = [4.5618, 3.2257, 2.6338, 2.2809, 2.0401];
    groupSequentialBounds("obrien-fleming", 5, 0.05).forEach((bound, k) =>
      // The published ones are the rounded last one times √(5/k).
      expect(Math.abs(bound - (wanted[k] ?? NaN))).toBeLessThan(1.1e-4),
    );
  });

  it("groupSequentialBounds() spend what they are given, and are those of one look for one", () => {
    const bounds = groupSequentialBounds("pocock", 4, 0.01);
    expect(crossingProbability(bounds)).toBeCloseTo(0.01, 10);
    expect(groupSequentialBounds("obrien-fleming", 1, 0.05)[0]).toBeCloseTo(ONE_LOOK, 10);
  });
});

describe("gaussLegendre()", () => {
  it.each([1, 2, 5, 64, 300])("gaussLegendre(%d) is exact for the powers it promises", (count) => {
    const { points, weights } = gaussLegendre(count);
    for (const power of [0, 1, count - 1, 2 * count - 2, 2 * count - 1]) {
      const found = points.reduce((sum, x, i) => sum + (weights[i] ?? NaN) * x ** power, 0);
      expect(found).toBeCloseTo(power % 2 === 0 ? 2 / (power + 1) : 0, 11);
    }
  });
});
