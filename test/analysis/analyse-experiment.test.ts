import { describe, expect, it } from "vitest";
import type {
  ExperimentAnalysis,
  MetricComparison,
} from "../../packages/millrace/src/core/experiment/experiment-report.ts";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import {
  ANALYSIS,
  at,
  CORRECT,
  ERRORS,
  HOUR_MS,
  idAt,
  LATENCY,
  PURCHASE,
  ReleaseLog,
  SINCE_MS,
} from "./release-log.ts";

const ARMS = ["control", "treatment"];

interface TestUnit {
  readonly unit: string;
  readonly variant: string;
  /** Of the first exposure. */
  readonly seconds: number;
}

/** Units one second apart, by turns in each arm. */
function unitsOf(count: number, fromSecond = 0): readonly TestUnit[] {
  return Array.from({ length: count }, (_, index) => ({
    unit: `u${fromSecond}-${index}`,
    variant: ARMS[index % 2] ?? "",
    seconds: fromSecond + index,
  }));
}

function expose(log: ReleaseLog, units: readonly TestUnit[], rest: object = {}): Promise<void> {
  return log.add(
    "exposures",
    units.map(({ unit, variant, seconds }) => ({
      ts: at(seconds),
      variant,
      unit_hash: unit,
      prediction_id: idAt(seconds),
      ...rest,
    })),
  );
}

function comparison(analysis: ExperimentAnalysis, metric: string): MetricComparison | undefined {
  return analysis.metrics.find(({ name }) => name === metric)?.comparisons[0];
}

/** Units and mean of each arm. */
function means(analysis: ExperimentAnalysis, metric: string) {
  const arms = analysis.metrics.find(({ name }) => name === metric)?.arms ?? [];
  return arms.map(({ units, mean }) => [units, mean]);
}

describe("analyseExperiment() on exposures", () => {
  it("says that there is no data where there is none", async () => {
    await using log = new ReleaseLog();
    await expose(log, unitsOf(2, -10));
    const analysis = await log.experiment();
    expect(analysis.decision).toEqual({ kind: "keep_running", why: "no data yet" });
    expect(analysis).toMatchObject({ window: { fromMs: undefined }, lastExposureMs: undefined });
    const states = analysis.metrics.map(({ comparisons }) => comparisons[0]?.state);
    expect(states).toEqual(["no_data", "no_data", "no_data"]);
  });

  it("counts a unit from its first exposure on, and matured ones apart", async () => {
    await using log = new ReleaseLog();
    const units = unitsOf(40);
    await expose(log, units);
    await expose(
      log,
      units.map((unit) => ({ ...unit, seconds: unit.seconds + 3000 })),
    );
    // The last ten have not had their hour.
    const nowMs = SINCE_MS + HOUR_MS + 29_500;
    const analysis = await log.experiment({}, nowMs);
    expect(analysis.arms.map(({ units: count }) => count)).toEqual([20, 20]);
    expect(analysis.window).toEqual({ fromMs: SINCE_MS, untilMs: nowMs });
    expect(analysis.lastExposureMs).toBe(SINCE_MS + 3_039_000);
    expect(means(analysis, "purchase")).toEqual([
      [15, 0],
      [15, 0],
    ]);
    expect(analysis.sampleRatios.map(({ of, counts }) => [of, counts])).toEqual([
      ["exposed", [20, 20]],
      ["matured", [15, 15]],
    ]);
  });

  it("finds the split broken that R. Kohavi tells of, by the weights of the phases", async () => {
    await using log = new ReleaseLog();
    for (const [variant, count] of [
      ["control", 821_588],
      ["treatment", 815_482],
    ] as const) {
      const columns = {
        ts: `make_timestamp(${at(0)} + i)`,
        variant: `'${variant}'`,
        unit_hash: `'${variant}' || i`,
      };
      await log.addSql("exposures", columns, `range(${count}) t(i)`);
    }
    const analysis = await log.experiment({ metrics: [] });
    const [exposed] = analysis.sampleRatios;
    expect(exposed?.statistic).toBeCloseTo(22.774369, 6);
    expect(exposed?.pValue).toBeCloseTo(1.8218e-6, 10);
    expect(analysis.decision).toMatchObject({
      kind: "inconclusive",
      reason: "sample_ratio_mismatch",
    });
  });

  it("adds up what each phase's own weights say: 90 to 10, then 50 to 50", async () => {
    await using log = new ReleaseLog();
    const phase = (number: number, count: number, share: number): TestUnit[] =>
      unitsOf(count, number * 1000).map((unit, index) => ({
        ...unit,
        variant: ARMS[index % 100 < share * 100 ? 0 : 1] ?? "",
      }));
    for (const [number, share] of [
      [1, 0.9],
      [2, 0.5],
    ] as const) {
      const units = phase(number, 400, share);
      for (const arm of ARMS) {
        const propensity = arm === "control" ? share : 1 - share;
        const ofArm = units.filter(({ variant }) => variant === arm);
        await expose(log, ofArm, { phase: number, propensity });
      }
    }
    const { sampleRatios, phases } = await log.experiment();
    expect(phases).toEqual([1, 2]);
    expect(sampleRatios[0]?.counts).toEqual([560, 240]);
    expect(sampleRatios[0]?.expected.map(Math.round)).toEqual([560, 240]);
    expect(sampleRatios[0]?.isMismatch).toBe(false);
    const later = await log.experiment({ minPhase: 2 });
    expect(later.phases).toEqual([2]);
    expect(later.sampleRatios[0]?.counts).toEqual([200, 200]);
  });

  it("finds the split broken when an arm has nobody at all", async () => {
    await using log = new ReleaseLog();
    await expose(
      log,
      unitsOf(100).filter(({ variant }) => variant === "control"),
    );
    const { sampleRatios } = await log.experiment();
    expect(sampleRatios[0]).toMatchObject({
      counts: [50, 0],
      expected: [25, 25],
      isMismatch: true,
    });
  });

  it("leaves out who was in several arms, and decides nothing when they are many", async () => {
    await using log = new ReleaseLog();
    const units = unitsOf(1000);
    await expose(log, units);
    const moved = units.slice(0, 2).map((unit) => ({
      ...unit,
      variant: unit.variant === "control" ? "treatment" : "control",
      seconds: unit.seconds + 2000,
    }));
    await expose(log, moved);
    await log.add(
      "predictions",
      [...units, ...moved].map(({ unit, variant, seconds }) => ({
        ts: at(seconds),
        variant,
        unit_hash: unit,
        prediction_id: idAt(seconds),
        status: seconds < 2 ? ("error" as const) : ("ok" as const),
      })),
    );
    await log.add(
      "feedback",
      units.slice(0, 4).map(({ unit, seconds }) => ({
        ts: at(seconds + 5),
        unit_hash: unit,
        feedback_id: unit,
      })),
    );
    const analysis = await log.experiment();
    expect(analysis.multipleExposures).toBe(2);
    expect(analysis.arms.map(({ units: count }) => count)).toEqual([499, 499]);
    expect(means(analysis, "purchase")).toEqual([
      [499, 1 / 499],
      [499, 1 / 499],
    ]);
    expect(means(analysis, "errors")).toEqual([
      [499, 0],
      [499, 0],
    ]);
    expect(analysis.decision).toMatchObject({ kind: "inconclusive", reason: "multiple_exposures" });
  });

  it("leaves out the units of an arm that the experiment has not any more", async () => {
    await using log = new ReleaseLog();
    const units = unitsOf(60).map((unit, index) => ({
      ...unit,
      variant: [...ARMS, "gone"][index % 3] ?? "",
    }));
    await expose(log, units, { propensity: 1 / 3 });
    const moved = units.filter(({ variant }) => variant === "gone").slice(0, 5);
    await expose(
      log,
      moved.map((unit) => ({ ...unit, variant: "control", seconds: unit.seconds + 100 })),
      { phase: 2 },
    );
    const { arms, multipleExposures, sampleRatios } = await log.experiment();
    expect(arms.map(({ units: count }) => count)).toEqual([20, 20]);
    expect(multipleExposures).toBe(0);
    expect(sampleRatios[0]).toMatchObject({ expected: [20, 20], isMismatch: false });
  });

  it("says what it expected though a phase has nobody in arms that are there", async () => {
    await using log = new ReleaseLog();
    await expose(log, unitsOf(40), { phase: 2 });
    const gone = unitsOf(4, 500).map((unit) => ({ ...unit, variant: "gone" }));
    await expose(log, gone, { propensity: 1 });
    const { sampleRatios } = await log.experiment();
    expect(sampleRatios[0]).toMatchObject({ counts: [20, 20], expected: [20, 20], pValue: 1 });
  });
});

describe("analyseExperiment() on events", () => {
  it("takes those between the first exposure and the end of the window that came in time, each once", async () => {
    await using log = new ReleaseLog();
    await expose(log, unitsOf(40));
    await log.add("predictions", [
      { ts: at(9), variant: "treatment", unit_hash: "u0-9", prediction_id: idAt(9, 1) },
      {
        ts: at(9),
        variant: "treatment",
        unit_hash: "u0-9",
        prediction_id: idAt(9, 1),
        role: "shadow",
      },
    ]);
    const value = 10;
    await log.add("feedback", [
      { ts: at(61), unit_hash: "u0-1", feedback_id: "a", value },
      { ts: at(61), unit_hash: "u0-1", feedback_id: "a", value, received_ts: at(90) },
      { ts: at(62), unit_hash: "u0-1", feedback_id: "b", value: 5 },
      // At the end, after it, before the exposure, in time but told too late, another event, another service.
      { ts: at(3 + 3600), unit_hash: "u0-3", feedback_id: "c", value },
      { ts: at(5 + 3601), unit_hash: "u0-5", feedback_id: "d", value },
      { ts: at(6), unit_hash: "u0-7", feedback_id: "e", value },
      { ts: at(30), received_ts: at(11 + 3601), unit_hash: "u0-11", feedback_id: "f", value },
      { ts: at(30), unit_hash: "u0-13", feedback_id: "g", event: "visit", value },
      { ts: at(30), unit_hash: "u0-15", feedback_id: "h", service: "other", value },
      // By the prediction, wherever it was sent.
      {
        ts: at(80),
        prediction_id: `${idAt(9, 1)}#0`,
        feedback_id: "i",
        service: "other",
        value: 1,
      },
    ]);
    const metrics = (["converted", "count", "sum", "average"] as const).map((aggregate) => ({
      ...PURCHASE,
      name: aggregate,
      role: "secondary" as const,
      source: { kind: "event" as const, event: "purchase", aggregate },
    }));
    const analysis = await log.experiment({ metrics });
    const treatment = analysis.metrics.map(({ name, arms }) => [
      name,
      arms[1]?.units,
      arms[1]?.mean,
    ]);
    expect(treatment).toEqual([
      ["converted", 20, 3 / 20],
      ["count", 20, 4 / 20],
      ["sum", 20, 26 / 20],
      ["average", 20, 26 / 4],
    ]);
  });

  it("leaves out what came of predictions whose request named another arm", async () => {
    await using log = new ReleaseLog();
    await expose(log, unitsOf(40));
    const answer = { ts: at(60), unit_hash: "u0-0" };
    await log.add("predictions", [
      { ...answer, variant: "treatment", propensity: null, prediction_id: idAt(60, 1) },
      // Of another service's experiment, or of none, it is what the unit did.
      { ...answer, variant: null, propensity: null, experiment: null, prediction_id: idAt(60, 2) },
    ]);
    await log.add("feedback", [
      { ts: at(70), prediction_id: idAt(60, 1), feedback_id: "a" },
      { ts: at(70), prediction_id: idAt(60, 2), feedback_id: "b" },
    ]);
    const count = {
      ...PURCHASE,
      source: { kind: "event", event: "purchase", aggregate: "count" },
    } as const;
    expect(means(await log.experiment({ metrics: [count] }), "purchase")[0]).toEqual([20, 1 / 20]);
  });

  it("gives Welch's numbers of Δ .29 for what units counted", async () => {
    // Sums and sums of squares of the published case, in two values of each arm: mean ± deviation.
    const cases = [
      { arm: "control", n: 3407, sum: 1396.87, squares: 52_377.9767 },
      { arm: "treatment", n: 3461, sum: 2422.7, squares: 134_698.29 },
    ];
    await using log = new ReleaseLog();
    for (const { arm, n, sum, squares } of cases) {
      // n − 1 units in pairs around the mean, the middle one at it.
      const even = n - (n % 2);
      const deviation = Math.sqrt((squares - (sum * sum) / n) / even);
      const from = `range(${n}) t(i)`;
      await log.addSql(
        "exposures",
        { ts: `make_timestamp(${at(0)})`, variant: `'${arm}'`, unit_hash: `'${arm}' || i` },
        from,
      );
      const value = `${sum / n} + CASE WHEN i >= ${even} THEN 0 WHEN i % 2 = 0 THEN ${deviation} ELSE ${-deviation} END`;
      await log.addSql(
        "feedback",
        {
          ts: `make_timestamp(${at(1)})`,
          unit_hash: `'${arm}' || i`,
          feedback_id: `'${arm}' || i`,
          value,
        },
        from,
      );
    }
    const spent = {
      ...PURCHASE,
      source: { kind: "event", event: "purchase", aggregate: "sum" },
    } as const;
    const analysis = await log.experiment({
      metrics: [spent],
      analysis: { ...ANALYSIS, method: "fixed" },
    });
    const found = comparison(analysis, "purchase");
    expect(found?.difference).toBeCloseTo(0.29, 3);
    expect(found?.interval?.low).toBeCloseTo(0.04538, 4);
    expect(found?.interval?.high).toBeCloseTo(0.53462, 4);
    expect(found?.pValue).toBeCloseTo(0.02016, 4);
    expect(found?.relative).toBeCloseTo(0.70732, 3);
    expect(found?.state).toBe("better");
    // Both guardrails are missing: a better primary metric is enough.
    expect(analysis.decision).toMatchObject({ kind: "ship", arm: "treatment" });
  });

  it("takes out what was there before the exposure: the published CUPED case", async () => {
    const y = [2.1, 3.9, 6.2, 7.8, 10.1, 12.2, 13.8, 16.1];
    await using log = new ReleaseLog();
    const units = unitsOf(32, 7200);
    await expose(log, units);
    await log.add(
      "feedback",
      units.flatMap(({ unit, seconds }, index) => {
        const i = Math.floor(index / 2) % 8;
        return [
          { ts: at(seconds - 60), unit_hash: unit, feedback_id: `x${index}`, value: i + 1 },
          {
            ts: at(seconds - 7000),
            unit_hash: unit,
            feedback_id: `o${index}`,
            value: 1000 * index,
          },
          { ts: at(seconds + 60), unit_hash: unit, feedback_id: `y${index}`, value: y[i] ?? 0 },
        ];
      }),
    );
    const spent = {
      ...PURCHASE,
      source: { kind: "event", event: "purchase", aggregate: "sum" },
      lookbackMs: HOUR_MS,
    } as const;
    const analysis = await log.experiment({ metrics: [spent] });
    const found = comparison(analysis, "purchase");
    expect(found?.varianceReduction).toBeCloseTo(0.998839287, 9);
    expect(found?.difference).toBeCloseTo(0, 9);
  });

  it("compares within phases, so that the mix of the arms does not count", async () => {
    await using log = new ReleaseLog();
    // In each phase both arms convert alike: 10 % of 1,000 and 100 in the first, 50 % of 100 and 1,000 in the second.
    const cells = [
      { phase: 1, arm: "control", n: 1000, every: 10, propensity: 1 / 1.1 },
      { phase: 1, arm: "treatment", n: 100, every: 10, propensity: 0.1 / 1.1 },
      { phase: 2, arm: "control", n: 100, every: 2, propensity: 0.1 / 1.1 },
      { phase: 2, arm: "treatment", n: 1000, every: 2, propensity: 1 / 1.1 },
    ];
    for (const { phase, arm, n, every, propensity } of cells) {
      const unit = `'${arm}${phase}-' || i`;
      await log.addSql(
        "exposures",
        {
          ts: `make_timestamp(${at(0)})`,
          variant: `'${arm}'`,
          unit_hash: unit,
          phase: String(phase),
          propensity: String(propensity),
        },
        `range(${n}) t(i)`,
      );
      await log.addSql(
        "feedback",
        { ts: `make_timestamp(${at(1)})`, unit_hash: unit, feedback_id: unit },
        `range(0, ${n}, ${every}) t(i)`,
      );
    }
    const analysis = await log.experiment({ metrics: [PURCHASE] });
    const found = comparison(analysis, "purchase");
    expect(found?.difference).toBeCloseTo(0, 12);
    expect(found?.state).toBe("unclear");
    expect(analysis.sampleRatios[0]?.isMismatch).toBe(false);
    // Shown means do not mix the phases either: pooled they were 13.6 % and 46.4 %.
    for (const [, mean] of means(analysis, "purchase")) expect(mean).toBeCloseTo(0.3, 12);
  });

  it("sees no difference between arms whose events come sooner and later", async () => {
    const seed = 7;
    const random = new TestRandom(seed);
    await using log = new ReleaseLog();
    // Everyone converts with probability 0.4; in treatment it takes 50 minutes, in control one.
    const units = unitsOf(6000);
    await expose(log, units);
    await log.add(
      "feedback",
      units.flatMap(({ unit, seconds, variant }) => {
        const delay = variant === "control" ? 60 : 3000;
        const row = { ts: at(seconds + delay), unit_hash: unit, feedback_id: unit };
        return random.next() < 0.4 ? [row] : [];
      }),
    );
    const analysis = await log.experiment({}, SINCE_MS + 6_000_000);
    const found = comparison(analysis, "purchase");
    expect(found?.state, `seed ${seed}`).toBe("unclear");
    expect(Math.abs(found?.difference ?? 1)).toBeLessThan(0.06);
    expect(means(analysis, "purchase").map(([count]) => count)).toEqual([1201, 1200]);
  });
});

describe("analyseExperiment() on requests", () => {
  it("clusters errors by unit, as by hand", async () => {
    await using log = new ReleaseLog();
    const units = unitsOf(40);
    await expose(log, units);
    // Of control every unit has 2 requests, every fourth both failed; of treatment 1 or 3, none failed.
    await log.add(
      "predictions",
      units.flatMap(({ unit, variant, seconds }, index) => {
        const isControl = variant === "control";
        const n = isControl ? 2 : index % 4 === 1 ? 1 : 3;
        const status = isControl && index % 8 === 0 ? ("error" as const) : ("ok" as const);
        const row = { variant, unit_hash: unit, status, row_count: 2 };
        return Array.from({ length: n }, (_, i) =>
          [0, 1].map((row_index) => ({
            ...row,
            ts: at(seconds + i),
            prediction_id: `${idAt(seconds, i)}#${row_index}`,
            row_index,
          })),
        ).flat();
      }),
    );
    const analysis = await log.experiment({ metrics: [ERRORS] });
    expect(analysis.arms.map(({ predictions, errors }) => [predictions, errors])).toEqual([
      [40, 10],
      [40, 0],
    ]);
    const [control] = analysis.metrics[0]?.arms ?? [];
    expect(control).toMatchObject({ units: 20, mean: 0.25 });
    // 5 of 20 units at 1, the others at 0, by the delta method: (20/19)·0.25·0.75/20; with the two units of doubt a hair more.
    expect(control?.standardError).toBeCloseTo(Math.sqrt((0.25 * 0.75) / 19), 2);
  });

  it("calls slow what is slower than the 95th percentile of the control arm", async () => {
    await using log = new ReleaseLog();
    const count = 20_000;
    const columns = (variant: string) => ({
      ts: `make_timestamp(${at(0)} + i)`,
      variant: `'${variant}'`,
      unit_hash: `'${variant}' || i`,
      prediction_id: `'${variant}' || i`,
    });
    for (const [variant, us] of [
      ["control", "1000 + i % 1000"],
      ["treatment", "1100 + i % 1000"],
    ] as const) {
      const from = `range(${count}) t(i)`;
      await log.addSql("exposures", columns(variant), from);
      await log.addSql("predictions", { ...columns(variant), total_us: us }, from);
    }
    const analysis = await log.experiment({ metrics: [LATENCY] });
    const [control, treatment] = analysis.metrics[0]?.arms ?? [];
    // Classes are a hundredth wide: the threshold lies between 1.95 and 1.97 ms.
    expect(control?.mean).toBeGreaterThan(0.03);
    expect(control?.mean).toBeLessThanOrEqual(0.05);
    expect((treatment?.mean ?? 0) - (control?.mean ?? 0)).toBeCloseTo(0.1, 3);
    expect(analysis.arms[0]?.latencyMs?.p50).toBeCloseTo(1.5, 1);
    expect(analysis.arms[1]?.latencyMs?.p99).toBeCloseTo(2.09, 1);
    expect(comparison(analysis, "latency")?.state).toBe("regressed");
    expect(analysis.decision).toMatchObject({ kind: "rollback" });
  });

  it("leaves out who took no part, shadows and other experiments", async () => {
    await using log = new ReleaseLog();
    await expose(log, unitsOf(20));
    const row = { ts: at(0), variant: "control", unit_hash: "u0-0", prediction_id: idAt(0) };
    await log.add("predictions", [
      row,
      { ...row, propensity: null },
      { ...row, role: "shadow" },
      { ...row, experiment: "other" },
      { ...row, service: "other" },
      { ...row, ts: at(-1) },
      { ...row, role: "fallback", status: "error", ts: at(7) },
    ]);
    const { arms, lastPredictionMs } = await log.experiment();
    expect(arms[0]).toMatchObject({ predictions: 2, errors: 1 });
    expect(lastPredictionMs).toBe(SINCE_MS + 7000);
  });

  it("counts an answer that something else gave in place of the arm as failed", async () => {
    await using log = new ReleaseLog();
    const units = unitsOf(40);
    await expose(log, units);
    await log.add(
      "predictions",
      units.map(({ unit, variant, seconds }) => ({
        ts: at(seconds),
        variant,
        unit_hash: unit,
        prediction_id: idAt(seconds),
        role: variant === "treatment" ? ("fallback" as const) : ("primary" as const),
      })),
    );
    const { arms, metrics } = await log.experiment({ metrics: [ERRORS] });
    expect(arms.map(({ errors }) => errors)).toEqual([0, 20]);
    expect(metrics[0]?.arms.map(({ mean }) => mean)).toEqual([0, 1]);
  });

  it("takes each request for itself where the experiment has no unit", async () => {
    await using log = new ReleaseLog();
    const requests = unitsOf(40).map(({ variant, seconds }) => ({
      ts: at(seconds),
      variant,
      prediction_id: idAt(seconds),
    }));
    await log.add(
      "exposures",
      requests.map((row) => ({ ...row, unit_hash: null })),
    );
    // The log has a unit of its own, all of the same one.
    await log.add(
      "predictions",
      requests.map((row) => ({
        ...row,
        prediction_id: `${row.prediction_id}#0`,
        unit_hash: "one",
      })),
    );
    await log.add("feedback", [
      { ts: at(50), prediction_id: idAt(3), feedback_id: "a" },
      { ts: at(50), prediction_id: `${idAt(5)}#0`, feedback_id: "b" },
      { ts: at(50), unit_hash: "one", feedback_id: "c" },
    ]);
    const analysis = await log.experiment({ unit: [] });
    expect(analysis.multipleExposures).toBe(0);
    expect(analysis.arms.map(({ units, predictions }) => [units, predictions])).toEqual([
      [20, 20],
      [20, 20],
    ]);
    expect(means(analysis, "purchase")).toEqual([
      [20, 0],
      [20, 2 / 20],
    ]);
    expect(means(analysis, "errors")).toEqual([
      [20, 0],
      [20, 0],
    ]);
  });
});

describe("analyseExperiment() on labels", () => {
  it("takes the latest label in the window of matured predictions, by unit", async () => {
    await using log = new ReleaseLog();
    const units = unitsOf(40);
    await expose(log, units);
    const predictions = units.flatMap(({ unit, variant, seconds }) =>
      [0, 1].map((tail) => ({
        ts: at(seconds),
        variant,
        unit_hash: unit,
        prediction_id: idAt(seconds, tail),
        label: "a",
      })),
    );
    await log.add("predictions", predictions);
    const label = (seconds: number, text: string, after = 60) => ({
      ts: at(seconds + after),
      prediction_id: idAt(seconds),
      kind: "label" as const,
      label: text,
      event: null,
      feedback_id: `${seconds}${text}${after}`,
    });
    await log.add("feedback", [
      label(0, "a"),
      label(2, "b"),
      label(4, "b"),
      label(4, "a", 90),
      label(6, "a"),
      label(6, "b", 3700), // too late
      label(1, "a"),
      label(3, "b"),
      label(39, "b"), // not matured
    ]);
    const analysis = await log.experiment({ metrics: [CORRECT] }, SINCE_MS + HOUR_MS + 30_000);
    expect(means(analysis, "correct")).toEqual([
      [4, 3 / 4],
      [2, 1 / 2],
    ]);
    expect(analysis.sampleRatios.at(-1)).toMatchObject({ of: "labelled", counts: [4, 2] });
  });
});

describe("analyseExperiment() of two arms that are the same", () => {
  it("finds a difference in at most one of twenty, however often it looks", async () => {
    const experiments = 20;
    const looks = [600, 1800];
    const unitCount = 1800;
    await using log = new ReleaseLog();
    // Outcomes and arms are bits of hashes: who is in which arm has nothing to do with what they do.
    const of = `range(${experiments}) e(e), range(${unitCount}) t(i)`;
    const id = "e || '-' || i";
    const exposed = {
      ts: `make_timestamp(${at(0)} + i * 1000000)`,
      experiment: "'e' || e",
      unit_hash: id,
      prediction_id: id,
      variant: "CASE WHEN hash(e, i, 'arm') % 2 = 0 THEN 'control' ELSE 'treatment' END",
    };
    await log.addSql("exposures", exposed, of);
    const answered = {
      ...exposed,
      total_us: "(100 + hash(e, i, 'us') % 900)::BIGINT",
      status: "CASE WHEN hash(e, i, 'status') % 20 = 0 THEN 'error' ELSE 'ok' END",
    };
    await log.addSql("predictions", answered, of);
    const ts = `make_timestamp(${at(0)} + (i + 30) * 1000000)`;
    const reported = { ts, unit_hash: id, feedback_id: id };
    await log.addSql("feedback", reported, `${of} WHERE hash(e, i, 'event') % 5 = 0`);
    const found = new Map<string, number>();
    for (let e = 0; e < experiments; e++) {
      const seen = new Set<string>();
      for (const seconds of looks) {
        const { metrics } = await log.experiment(
          { name: `e${e}`, analysis: { ...ANALYSIS, windowMs: 60_000, unitsTuned: 500 } },
          SINCE_MS + (seconds + 61) * 1000,
        );
        for (const { name, comparisons } of metrics) {
          const state = comparisons[0]?.state ?? "no_data";
          expect(state).not.toBe("no_data");
          if (["better", "worse", "regressed"].includes(state)) seen.add(name);
        }
      }
      for (const name of seen) found.set(name, (found.get(name) ?? 0) + 1);
    }
    const tooOften = [...found].filter(([, count]) => count > experiments / 20);
    expect(tooOften).toEqual([]);
  }, 120_000);
});
