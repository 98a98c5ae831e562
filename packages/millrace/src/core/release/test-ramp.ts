import type { Decision } from "../experiment/experiment-report.ts";
import type { RampLook, RampNumbers } from "./ramp-look.ts";
import type { RampPlan, RampStep } from "./ramp-plan.ts";

/** Facts for tests of ramps. */

export const HOUR_MS = 3_600_000;
export const START_MS = 1_700_000_000_000;

export const KEEP: Decision = { kind: "keep_running", why: "too few units" };
export const SHIP: Decision = { kind: "ship", arm: "treatment", why: "purchase is better" };
export const REGRESSED: Decision = { kind: "rollback", why: "errors got worse" };
export const MISMATCH: Decision = {
  kind: "inconclusive",
  reason: "sample_ratio_mismatch",
  why: "the units are not split as the weights say",
};

export function stepOf(coverage: number, facts: Partial<RampStep> = {}): RampStep {
  return { coverage, holdMs: HOUR_MS, unitsMin: 100, needsApproval: false, ...facts };
}

/** 2 %, 10 %, 100 %, an hour and 100 units each. */
export function planOf(facts: Partial<RampPlan> = {}): RampPlan {
  return {
    steps: [stepOf(0.02), stepOf(0.1), stepOf(1)],
    start: "auto",
    promote: "auto",
    noData: "hold",
    graceMs: 24 * HOUR_MS,
    onRegression: "rollback",
    onMismatch: "hold",
    ...facts,
  };
}

/** Numbers that let a ramp go on. */
function numbersAt(nowMs: number, facts: Partial<RampNumbers> = {}): RampNumbers {
  const units = ["control", "treatment"].map((arm) => ({ arm, count: 100 }));
  return { untilMs: nowMs, decision: KEEP, units, lastPredictionMs: nowMs, blind: [], ...facts };
}

/** A look at which nothing is missing but time. */
export function lookAt(
  nowMs: number,
  plan: RampPlan = planOf(),
  facts: Partial<RampNumbers> = {},
): RampLook {
  const observation = { missing: [], missingToStart: [], numbers: numbersAt(nowMs, facts) };
  return { plan, observation, nowMs };
}
