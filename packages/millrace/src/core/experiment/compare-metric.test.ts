import { describe, expect, it } from "vitest";
import { adjustSecondary, compareMetric, type ComparedMetric } from "./compare-metric.ts";
import type { UnitSums } from "./metric-sums.ts";

const METRIC: ComparedMetric = {
  name: "purchase",
  role: "primary",
  source: { kind: "event", event: "purchase", aggregate: "converted" },
  goal: "increase",
  margin: 0,
  windowMs: undefined,
  lookbackMs: undefined,
};

const ERRORS: ComparedMetric = {
  ...METRIC,
  name: "errors",
  role: "guardrail",
  source: { kind: "errors" },
  goal: "decrease",
  margin: 0.005,
};

const RULES = {
  arms: ["control", "treatment"],
  control: "control",
  method: "sequential",
  alpha: 0.05,
  unitsTuned: 5000,
} as const;

/** Units of which so many count as 1, each its own denominator. */
function shares(units: number, y: number): UnitSums {
  return { units, y, yy: y, x: units, xx: units, xy: y };
}

function compare(
  metric: ComparedMetric,
  phases: readonly (readonly UnitSums[])[],
  rules: Parameters<typeof compareMetric>[2] = RULES,
) {
  const sums = phases.map((arms, index) => ({ phase: index + 1, arms }));
  const report = compareMetric(metric, sums, rules);
  const [first] = report.comparisons;
  if (first === undefined) throw new Error("There is no comparison");
  return { report, first };
}

describe("compareMetric()", () => {
  it("calls a large difference better or worse, as the goal says", () => {
    const phases = [[shares(3000, 1396), shares(3461, 2422)]];
    const up = compare(METRIC, phases).first;
    expect(up.state).toBe("better");
    expect(up.difference).toBeCloseTo(2422 / 3461 - 1396 / 3000, 12);
    expect(up.relative).toBeCloseTo(0.50386, 4);
    expect(compare({ ...METRIC, goal: "decrease" }, phases).first.state).toBe("worse");
  });

  it("says nothing of fewer than ten units, be they all alike", () => {
    const few = compare(METRIC, [[shares(9, 0), shares(9, 9)]]).first;
    expect(few).toMatchObject({ state: "no_data", interval: undefined, difference: undefined });
    expect(compare(METRIC, [[shares(10, 0), shares(10, 10)]]).first.state).not.toBe("no_data");
    expect(compare(METRIC, []).report.arms[0]).toEqual({
      arm: "control",
      units: 0,
      mean: undefined,
      standardError: undefined,
    });
  });

  it("does not take a few requests without errors for safety", () => {
    const state = (n: number): string =>
      compare(ERRORS, [[shares(n, 0), shares(n, 0)]]).first.state;
    expect(state(100)).toBe("unclear");
    expect(state(5000)).toBe("safe");
  });

  it("gives guardrails one side: how bad at most, and how bad at least once it has regressed", () => {
    const safe = compare(ERRORS, [[shares(20_000, 100), shares(20_000, 100)]]).first;
    expect(safe.state).toBe("safe");
    expect(safe.interval?.low).toBeNull();
    expect(safe.interval?.high).toBeGreaterThan(0);
    expect(safe.interval?.high).toBeLessThan(0.005);
    const bad = compare(ERRORS, [[shares(500, 5), shares(500, 250)]]).first;
    expect(bad.state).toBe("regressed");
    expect(bad.interval?.high).toBeNull();
    expect(bad.interval?.low).toBeGreaterThan(0.005);
  });

  it("takes the margin of events as a share of the control arm's mean", () => {
    const guardrail: ComparedMetric = { ...METRIC, role: "guardrail", margin: 0.1 };
    // 50 % and 47 %: 6 % less.
    const phases = [[shares(100_000, 50_000), shares(100_000, 47_000)]];
    expect(compare(guardrail, phases).first.state).toBe("safe");
    expect(compare({ ...guardrail, margin: 0.04 }, phases).first.state).toBe("regressed");
    expect(compare({ ...guardrail, margin: 0.06 }, phases).first.state).toBe("unclear");
  });

  it("gives guardrails always-valid bounds even where the method has one look", () => {
    const phases = [[shares(400, 20), shares(400, 38)]];
    const fixed = { ...RULES, method: "fixed" } as const;
    expect(compare(ERRORS, phases, fixed).first).toEqual(compare(ERRORS, phases).first);
    const secondary: ComparedMetric = { ...METRIC, role: "secondary" };
    expect(compare(secondary, phases, fixed).first.state).toBe("better");
    expect(compare(secondary, phases).first.state).toBe("unclear");
  });

  it("divides the alpha of the primary metric by the arms that may ship", () => {
    const arms = [shares(1000, 100), shares(1000, 130), shares(1000, 100), shares(1000, 100)];
    const rules = { ...RULES, arms: ["control", "a", "b", "c"], method: "fixed" } as const;
    expect(compare(METRIC, [arms], rules).first.state).toBe("unclear");
    expect(compare({ ...METRIC, role: "secondary" }, [arms], rules).first.state).toBe("better");
  });

  it("combines phases by inverse variance, and never pools them", () => {
    const phases = [
      [shares(1000, 100), shares(100, 10)],
      [shares(100, 50), shares(1000, 500)],
    ];
    const { first, report } = compare(METRIC, phases);
    expect(first.difference).toBeCloseTo(0, 12);
    expect(report.arms.map(({ mean }) => mean)).toEqual([0.3, 0.3]);
    expect(report.arms.map(({ units }) => units)).toEqual([1100, 1100]);
  });

  it("adjusts the p-values of secondary metrics only, over all of them", () => {
    const of = (name: string, role: ComparedMetric["role"], y: number) =>
      compare({ ...METRIC, name, role }, [[shares(1000, 100), shares(1000, y)]], {
        ...RULES,
        method: "fixed",
      }).report;
    const reports = [of("p", "primary", 130), of("a", "secondary", 130), of("b", "secondary", 100)];
    const [primary, a, b] = adjustSecondary(reports).map(({ comparisons }) => comparisons[0]);
    expect(primary?.adjustedPValue).toBeUndefined();
    expect(a?.adjustedPValue).toBeCloseTo(2 * (a?.pValue ?? 0), 12);
    expect(b?.adjustedPValue).toBe(1);
  });
});
