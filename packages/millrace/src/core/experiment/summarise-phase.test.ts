import { describe, expect, it } from "vitest";
import type { MetricDefinition } from "./metric.ts";
import type { UnitSums } from "./metric-sums.ts";
import { summarisePhase } from "./summarise-phase.ts";

const SUM: MetricDefinition = {
  name: "spent",
  source: { kind: "event", event: "purchase", aggregate: "sum" },
  goal: "increase",
  margin: 0,
  windowMs: undefined,
  lookbackMs: 1,
};

function sumsOf(xs: readonly number[], ys: readonly number[]): UnitSums {
  const total = (of: (i: number) => number): number => xs.reduce((sum, _, i) => sum + of(i), 0);
  const [x, y] = [(i: number) => xs[i] ?? 0, (i: number) => ys[i] ?? 0];
  return {
    units: xs.length,
    y: total(y),
    x: total(x),
    yy: total((i) => y(i) ** 2),
    xx: total((i) => x(i) ** 2),
    xy: total((i) => x(i) * y(i)),
  };
}

describe("summarisePhase()", () => {
  it("takes out of a sum what was there before: the published case", () => {
    const x = [1, 2, 3, 4, 5, 6, 7, 8];
    const y = [2.1, 3.9, 6.2, 7.8, 10.1, 12.2, 13.8, 16.1];
    const found = summarisePhase(SUM, [sumsOf(x, y)]);
    expect(found.raw[0]?.variance).toBeCloseTo(23.9707143, 7);
    expect(found.arms[0]?.variance).toBeCloseTo(0.0278231, 7);
    expect(found.varianceReduction).toBeCloseTo(0.998839287, 9);
  });

  it("has no reduction without a lookback, and leaves averages alone", () => {
    const sums = [sumsOf([1, 2, 3], [1, 2, 3])];
    expect(
      summarisePhase({ ...SUM, lookbackMs: undefined }, sums).varianceReduction,
    ).toBeUndefined();
    const average = { kind: "event", event: "purchase", aggregate: "average" } as const;
    const found = summarisePhase({ ...SUM, source: average }, sums);
    expect(found.varianceReduction).toBeUndefined();
    expect(found.arms[0]).toMatchObject({ mean: 1, variance: 0 });
  });

  it("keeps doubt in a share that nobody has reached", () => {
    const converted = { kind: "event", event: "purchase", aggregate: "converted" } as const;
    const nobody = sumsOf(new Array<number>(50).fill(0), new Array<number>(50).fill(0));
    for (const lookbackMs of [undefined, 1]) {
      const [arm] = summarisePhase({ ...SUM, source: converted, lookbackMs }, [nobody]).arms;
      expect(arm?.mean).toBe(0);
      expect(arm?.variance).toBeGreaterThan(0.01);
    }
  });
});
