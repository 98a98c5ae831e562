import { describe, expect, it } from "vitest";
import { nextRamp, runningAt } from "./next-ramp.ts";
import type { RampLook, RampObservation } from "./ramp-look.ts";
import type { RampPlan } from "./ramp-plan.ts";
import type { RampState } from "./ramp-state.ts";
import {
  HOUR_MS,
  lookAt,
  MISMATCH,
  planOf,
  REGRESSED,
  SHIP,
  START_MS,
  stepOf,
} from "./test-ramp.ts";
import { unrampedPlan } from "./unramped-plan.ts";

const PENDING: RampState = { kind: "pending", why: "" };
const LATER_MS = START_MS + HOUR_MS;

function withFacts(look: RampLook, facts: Partial<RampObservation>): RampLook {
  return { ...look, observation: { ...look.observation, ...facts } };
}

describe("nextRamp() before the start", () => {
  it("starts at the first step when nothing is missing", () => {
    expect(nextRamp(PENDING, lookAt(START_MS))).toEqual(runningAt(0, START_MS));
  });

  it("waits in pending with all that is missing, and starts without numbers", () => {
    const look = lookAt(START_MS);
    const missing = withFacts(look, {
      missing: ["arm treatment is not ready"],
      missingToStart: ["shadow rf has not passed"],
    });
    const why = "arm treatment is not ready; shadow rf has not passed";
    expect(nextRamp(PENDING, missing)).toEqual({ kind: "pending", why });
    expect(nextRamp(PENDING, withFacts(look, { numbers: undefined })).kind).toBe("running");
  });

  it("waits in ready for who starts it, and goes back to pending when something gets missing", () => {
    const look = lookAt(START_MS, planOf({ start: "manual" }));
    const ready = nextRamp(PENDING, look);
    expect(ready).toEqual({ kind: "ready" });
    expect(nextRamp(ready, look)).toBe(ready);
    expect(nextRamp(ready, withFacts(look, { missing: ["x"] }))).toEqual({
      kind: "pending",
      why: "x",
    });
  });
});

describe("nextRamp() at a step", () => {
  it("waits for time, units and approval, and says how much is missing", () => {
    const plan = planOf({ steps: [stepOf(0.02, { needsApproval: true }), stepOf(1)] });
    const units = [
      { arm: "control", count: 100 },
      { arm: "treatment", count: 34 },
    ];
    const look = lookAt(START_MS + HOUR_MS / 2, plan, { units });
    expect(nextRamp(runningAt(0, START_MS), look)).toMatchObject({
      kind: "running",
      step: 0,
      waitsFor: ["time: 30m left", "units: treatment has 34 of 100", "approval"],
    });
  });

  it("goes one step further when nothing is missing, also after a year away", () => {
    const lateMs = START_MS + 365 * 24 * HOUR_MS;
    const second = nextRamp(runningAt(0, START_MS), lookAt(lateMs));
    expect(second).toEqual(runningAt(1, lateMs));
    expect(nextRamp(second, lookAt(lateMs + 1))).toMatchObject({ step: 1 });
  });

  it("asks for each step's own approval", () => {
    const plan = planOf({ steps: [stepOf(0.1), stepOf(0.2, { needsApproval: true }), stepOf(1)] });
    const first: RampState = { ...runningAt(0, START_MS), isApproved: true };
    const second = nextRamp(first, lookAt(LATER_MS, plan));
    expect(nextRamp(second, lookAt(LATER_MS + HOUR_MS, plan))).toMatchObject({
      step: 1,
      waitsFor: ["approval"],
    });
  });

  it.each<[string, (look: RampLook) => RampLook, string]>([
    ["arms are missing", (look) => withFacts(look, { missing: ["arm b is not ready"] }), "arm b"],
    ["nobody can tell", (look) => withFacts(look, { numbers: undefined }), "numbers: the log"],
    [
      "the numbers are older than the step",
      (look) => {
        const { numbers } = look.observation;
        return withFacts(look, { numbers: numbers && { ...numbers, untilMs: START_MS - 1 } });
      },
      "numbers: the log",
    ],
    [
      "nobody came since the step began, though earlier steps had enough units",
      (look) => {
        const { numbers } = look.observation;
        const lastPredictionMs = START_MS - 1;
        return withFacts(look, { numbers: numbers && { ...numbers, lastPredictionMs } });
      },
      "data: no prediction since the step began",
    ],
    [
      "a guardrail of requests sees nothing",
      (look) => {
        const { numbers } = look.observation;
        const blind = ["errors of treatment has too little data"];
        return withFacts(look, { numbers: numbers && { ...numbers, blind } });
      },
      "guardrails: errors of treatment has too little data",
    ],
  ])("stays when %s", (_name, change, waits) => {
    const state = nextRamp(runningAt(0, START_MS), change(lookAt(LATER_MS)));
    expect(state).toMatchObject({ kind: "running", step: 0 });
    expect(state.kind === "running" && state.waitsFor[0]).toContain(waits);
  });

  it.each<[Partial<RampPlan>, "rolled_back" | "stays" | "goes on"]>([
    [{ onRegression: "rollback" }, "rolled_back"],
    [{ onRegression: "hold" }, "stays"],
    [{ onRegression: "warn" }, "goes on"],
  ])("with %j does what the file says when a guardrail got worse: %s", (facts, expected) => {
    const look = lookAt(LATER_MS, planOf(facts), { decision: REGRESSED });
    expect(outcomeOf(nextRamp(runningAt(0, START_MS), look))).toBe(expected);
  });

  it.each<[Partial<RampPlan>, "rolled_back" | "stays" | "goes on"]>([
    [{ onMismatch: "rollback" }, "rolled_back"],
    [{ onMismatch: "hold" }, "stays"],
    [{ onMismatch: "warn" }, "goes on"],
  ])("with %j does what the file says when the split is wrong: %s", (facts, expected) => {
    for (const reason of ["sample_ratio_mismatch", "multiple_exposures"] as const) {
      const look = lookAt(LATER_MS, planOf(facts), { decision: { ...MISMATCH, reason } as never });
      expect(outcomeOf(nextRamp(runningAt(0, START_MS), look))).toBe(expected);
    }
  });

  it.each(["too_long", "no_log", "no_data"] as const)("stays when it is %s", (reason) => {
    const look = lookAt(LATER_MS, planOf({ onMismatch: "rollback", noData: "pass" }), {
      decision: { kind: "inconclusive", reason, why: "so" },
    });
    expect(nextRamp(runningAt(0, START_MS), look)).toMatchObject({ waitsFor: ["numbers: so"] });
  });

  it.each<[Partial<RampPlan>, "rolled_back" | "stays" | "goes on"]>([
    [{ noData: "fail" }, "rolled_back"],
    [{ noData: "hold" }, "stays"],
    [{ noData: "pass" }, "goes on"],
  ])("with %j does what the file says after the grace without data: %s", (facts, expected) => {
    const decision = { kind: "inconclusive", reason: "no_data", why: "none" } as const;
    const silent = { decision, units: [{ arm: "a", count: 0 }], lastPredictionMs: undefined };
    const plan = planOf(facts);
    const endMs = START_MS + plan.graceMs;
    const state = runningAt(0, START_MS);
    expect(outcomeOf(nextRamp(state, lookAt(endMs - 1, plan, silent)))).toBe("stays");
    expect(outcomeOf(nextRamp(state, lookAt(endMs, plan, silent)))).toBe(expected);
  });

  it("never passes without numbers, and fails without them after the grace", () => {
    const endMs = START_MS + planOf().graceMs;
    const blind = (noData: RampPlan["noData"]): RampState =>
      nextRamp(
        runningAt(0, START_MS),
        withFacts(lookAt(endMs, planOf({ noData })), { numbers: undefined }),
      );
    expect(blind("pass")).toMatchObject({ waitsFor: ["data: no prediction for 1d"] });
    expect(blind("fail").kind).toBe("rolled_back");
  });
});

describe("nextRamp() at the last step", () => {
  const last = runningAt(2, START_MS);

  it("completes with the winner when the decision is to ship", () => {
    const look = lookAt(LATER_MS, planOf(), { decision: SHIP });
    expect(nextRamp(last, look)).toEqual({
      kind: "completed",
      winner: "treatment",
      why: "purchase is better",
    });
  });

  it("goes on as long as nothing is decided", () => {
    expect(nextRamp(last, lookAt(LATER_MS))).toMatchObject({
      step: 2,
      waitsFor: ["decision: too few units"],
    });
  });

  it("ships nothing before the last step", () => {
    const look = lookAt(LATER_MS, planOf(), { decision: SHIP });
    expect(nextRamp(runningAt(1, START_MS), look)).toEqual(runningAt(2, LATER_MS));
  });

  it("waits for approval of the winner where the plan asks for that", () => {
    const look = lookAt(LATER_MS, planOf({ promote: "approval" }), { decision: SHIP });
    expect(nextRamp(last, look)).toMatchObject({ waitsFor: ["approval"] });
    expect(nextRamp({ ...last, isApproved: true }, look)).toMatchObject({ winner: "treatment" });
  });

  it("promotes nobody with promote off, and guards the arms that stay", () => {
    const look = lookAt(LATER_MS, planOf({ promote: "off" }), { decision: SHIP });
    const completed = nextRamp(last, look);
    expect(completed).toMatchObject({ kind: "completed", winner: undefined });
    const worse = lookAt(LATER_MS, planOf({ promote: "off" }), { decision: REGRESSED });
    expect(nextRamp(completed, worse).kind).toBe("rolled_back");
    const shipped: RampState = { kind: "completed", winner: "treatment", why: "" };
    expect(nextRamp(shipped, worse)).toBe(shipped);
  });

  it("leaves an experiment without a ramp where it is until a guardrail gets worse", () => {
    const plan = { ...planOf(), ...unrampedPlan(0.4) };
    const only = runningAt(0, START_MS);
    expect(nextRamp(only, lookAt(LATER_MS, plan)).kind).toBe("running");
    expect(nextRamp(only, lookAt(LATER_MS, plan, { decision: REGRESSED })).kind).toBe(
      "rolled_back",
    );
  });
});

it("nextRamp() leaves a paused ramp alone but for what rolls back", () => {
  const paused: RampState = { kind: "paused", step: 1, why: "", ranMs: 5, isApproved: true };
  const lateMs = START_MS + 365 * 24 * HOUR_MS;
  expect(nextRamp(paused, lookAt(lateMs, planOf({ noData: "fail" })))).toBe(paused);
  expect(nextRamp(paused, lookAt(lateMs, planOf(), { decision: REGRESSED })).kind).toBe(
    "rolled_back",
  );
});

function outcomeOf(state: RampState): "rolled_back" | "stays" | "goes on" {
  if (state.kind === "rolled_back") return "rolled_back";
  return state.kind === "running" && state.step === 0 ? "stays" : "goes on";
}
