import { describe, expect, it } from "vitest";
import { decide, type DecisionData, type DecisionRules } from "./decide.ts";
import type { ArmReport, MetricReport, MetricState } from "./experiment-report.ts";

const HOUR_MS = 3_600_000;

const RULES: DecisionRules = {
  control: "control",
  method: "sequential",
  unitsMin: 100,
  lengthMinMs: HOUR_MS,
  lengthMaxMs: 48 * HOUR_MS,
  onRegression: "rollback",
  onMismatch: "hold",
};

function armOf(arm: string, units = 1000): ArmReport {
  return {
    arm,
    isControl: arm === "control",
    weight: 0.5,
    units,
    predictions: units,
    errors: 0,
    latencyMs: undefined,
  };
}

/** A metric of arms other than the control arm, by what is said of each. */
function metricOf(
  role: MetricReport["role"],
  states: Readonly<Record<string, readonly [state: MetricState, difference: number]>>,
  rest: Partial<MetricReport> = {},
): MetricReport {
  const isGuardrail = role === "guardrail";
  return {
    name: isGuardrail ? "errors" : "purchase",
    role,
    goal: isGuardrail ? "decrease" : "increase",
    source: isGuardrail
      ? { kind: "errors" }
      : { kind: "event", event: "purchase", aggregate: "converted" },
    arms: ["control", ...Object.keys(states)].map((arm) => ({
      arm,
      units: 1000,
      mean: 0.1,
      standardError: 0.01,
    })),
    comparisons: Object.entries(states).map(([arm, [state, difference]]) => ({
      arm,
      difference,
      relative: undefined,
      interval: { low: difference - 0.01, high: difference + 0.01 },
      pValue: 0.5,
      adjustedPValue: undefined,
      varianceReduction: undefined,
      state,
    })),
    ...rest,
  };
}

function dataOf(data: Partial<DecisionData> = {}): DecisionData {
  return {
    window: { fromMs: 0, untilMs: 2 * HOUR_MS },
    arms: [armOf("control"), armOf("treatment")],
    sampleRatios: [],
    multipleExposures: 0,
    metrics: [
      metricOf("primary", { treatment: ["better", 0.02] }),
      metricOf("guardrail", { treatment: ["safe", 0] }),
    ],
    ...data,
  };
}

const MISMATCH: DecisionData["sampleRatios"] = [
  {
    of: "matured",
    counts: [900, 1100],
    expected: [1000, 1000],
    statistic: 20,
    pValue: 7.7e-6,
    sequentialPValue: 0.0012,
    isMismatch: true,
  },
];

describe("decide()", () => {
  it("ships what is better and safe, and says by how much", () => {
    expect(decide(dataOf(), RULES)).toEqual({
      kind: "ship",
      arm: "treatment",
      why: "purchase of treatment is better: +2 points (+1 to +3 points); errors of treatment is safe: 0 points (−1 to +1 points)",
    });
  });

  it("keeps running without data, and never decides on none", () => {
    const data = dataOf({ window: { fromMs: undefined, untilMs: 90 * 24 * HOUR_MS }, metrics: [] });
    expect(decide(data, RULES)).toEqual({ kind: "keep_running", why: "no data yet" });
    const silent = decide(dataOf({ metrics: [] }), RULES);
    expect(silent.kind).toBe("keep_running");
    expect(silent.why).toContain("neither a primary one nor a guardrail");
  });

  it("waits for units, for time, and for what is not clear, in words", () => {
    const data = dataOf({
      window: { fromMs: 0, untilMs: HOUR_MS / 2 },
      metrics: [
        metricOf(
          "primary",
          { treatment: ["unclear", 0.005] },
          {
            arms: [
              { arm: "control", units: 99, mean: 0.1, standardError: 0.1 },
              { arm: "treatment", units: 100, mean: 0.1, standardError: 0.1 },
            ],
          },
        ),
        metricOf("guardrail", { treatment: ["safe", 0] }),
      ],
    });
    expect(decide(data, RULES)).toEqual({
      kind: "keep_running",
      why: "waits for units whose window is over of control: 99 of 100; time: 30m of 1h; purchase of treatment is unclear: +0.5 points (−0.5 to +1.5 points)",
    });
  });

  it("does not ship what is better before units and time are enough", () => {
    const early = dataOf({ window: { fromMs: 0, untilMs: HOUR_MS - 1 } });
    expect(decide(early, RULES).kind).toBe("keep_running");
    const few = { ...RULES, unitsMin: 1001 };
    expect(decide(dataOf(), few).kind).toBe("keep_running");
  });

  it.each(["unclear", "no_data", "regressed"] as const)(
    "does not ship what is better where a guardrail is %s",
    (state) => {
      const metrics = [
        metricOf("primary", { treatment: ["better", 0.02] }),
        metricOf("guardrail", { treatment: [state, 0.02] }),
      ];
      const found = decide(dataOf({ metrics }), { ...RULES, onRegression: "warn" });
      expect(found.kind).toBe("keep_running");
    },
  );

  it("rolls back when a guardrail regressed, however early and however broken the split", () => {
    const metrics = [metricOf("guardrail", { treatment: ["regressed", 0.2] })];
    const data = dataOf({
      metrics,
      sampleRatios: MISMATCH,
      window: { fromMs: 0, untilMs: 1000 },
      arms: [armOf("control", 20), armOf("treatment", 20)],
    });
    expect(decide(data, RULES)).toMatchObject({ kind: "rollback" });
    expect(decide(data, { ...RULES, onRegression: "hold" }).kind).toBe("rollback");
    const told = decide(dataOf({ metrics }), { ...RULES, onRegression: "warn" });
    expect(told.kind).toBe("keep_running");
    expect(told.why).toMatch(/^warning: errors of treatment regressed: \+20 points/);
  });

  it("decides nothing on a broken split, unless the file says to go on", () => {
    const data = dataOf({ sampleRatios: MISMATCH });
    expect(decide(data, RULES)).toEqual({
      kind: "inconclusive",
      reason: "sample_ratio_mismatch",
      why: "matured units are not split as the weights say: control has 900 of 1000, treatment has 1100 of 1000 (p 0.0012)",
    });
    expect(decide(data, { ...RULES, onMismatch: "rollback" }).kind).toBe("inconclusive");
    const warned = decide(data, { ...RULES, onMismatch: "warn" });
    expect(warned).toMatchObject({ kind: "ship", why: expect.stringMatching(/^warning: matured/) });
  });

  it("stands one unit of a thousand in several arms, and not two", () => {
    const arms = [armOf("control", 999), armOf("treatment", 1000)];
    expect(decide(dataOf({ arms, multipleExposures: 1 }), RULES).kind).toBe("ship");
    expect(decide(dataOf({ arms, multipleExposures: 3 }), RULES)).toMatchObject({
      kind: "inconclusive",
      reason: "multiple_exposures",
      why: "3 of 2002 units were in several arms, at most 0.1 % may be",
    });
  });

  it("rolls back what is worse before there are enough units; with one look only then", () => {
    const metrics = [metricOf("primary", { treatment: ["worse", -0.02] })];
    const data = dataOf({ metrics, window: { fromMs: 0, untilMs: 1000 } });
    expect(decide(data, RULES).kind).toBe("rollback");
    const fixed = { ...RULES, method: "fixed" } as const;
    expect(decide(data, fixed).kind).toBe("keep_running");
    expect(decide(dataOf({ metrics }), fixed).kind).toBe("rollback");
  });

  it("is inconclusive when its time is over, or its one look said nothing", () => {
    const metrics = [
      metricOf("primary", { treatment: ["unclear", 0] }),
      metricOf("guardrail", { treatment: ["safe", 0] }),
    ];
    const old = dataOf({ metrics, window: { fromMs: 0, untilMs: 48 * HOUR_MS } });
    expect(decide(old, RULES)).toMatchObject({ kind: "inconclusive", reason: "too_long" });
    expect(decide(dataOf({ metrics }), RULES).kind).toBe("keep_running");
    const fixed = { ...RULES, method: "fixed" } as const;
    expect(decide(dataOf({ metrics }), fixed)).toMatchObject({ kind: "inconclusive" });
  });

  it("ships an arm that is safe where no primary metric asks for more", () => {
    const metrics = [
      metricOf("guardrail", { a: ["unclear", 0], b: ["safe", 0] }),
      metricOf("secondary", { a: ["better", 1], b: ["worse", -1] }),
    ];
    const arms = [armOf("control"), armOf("a"), armOf("b")];
    expect(decide(dataOf({ metrics, arms }), RULES)).toMatchObject({ kind: "ship", arm: "b" });
  });

  it.each([
    ["increase", "b"],
    ["decrease", "c"],
  ] as const)(
    "ships the best of several that are better and safe, where %s is good",
    (goal, arm) => {
      const sign = goal === "increase" ? 1 : -1;
      const better = metricOf(
        "primary",
        {
          a: ["better", 0.9 * sign],
          b: ["better", goal === "increase" ? 0.2 : -0.1],
          c: ["better", goal === "increase" ? 0.1 : -0.2],
          d: ["worse", -sign],
        },
        { goal },
      );
      const safe = metricOf("guardrail", {
        a: ["unclear", 0],
        b: ["safe", 0],
        c: ["safe", 0],
        d: ["safe", 0],
      });
      const arms = ["control", "a", "b", "c", "d"].map((name) => armOf(name));
      const data = dataOf({ metrics: [better, safe], arms });
      expect(decide(data, RULES)).toMatchObject({ kind: "ship", arm });
    },
  );

  it("goes on while one of several arms may still be better", () => {
    const arms = [armOf("control"), armOf("a"), armOf("b")];
    const of = (b: MetricState): DecisionData =>
      dataOf({ arms, metrics: [metricOf("primary", { a: ["worse", -1], b: [b, -1] })] });
    expect(decide(of("unclear"), RULES).kind).toBe("keep_running");
    expect(decide(of("worse"), RULES).kind).toBe("rollback");
  });
});
