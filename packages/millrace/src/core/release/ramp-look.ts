import type { Decision } from "../experiment/experiment-report.ts";
import type { RampPlan } from "./ramp-plan.ts";
import type { RampState } from "./ramp-state.ts";

/** What the log says of an experiment. */
export interface RampNumbers {
  /** Up to when, milliseconds since 1970-01-01 UTC. */
  readonly untilMs: number;
  readonly decision: Decision;
  /** Of each arm, since the evidence began. */
  readonly units: readonly { readonly arm: string; readonly count: number }[];
  /** Undefined without one. */
  readonly lastPredictionMs: number | undefined;
  /** Guardrails of requests that see too few of them to say anything, in words. */
  readonly blind: readonly string[];
}

export interface RampObservation {
  /** What has to be there at every step and is not, in words: an arm that is not ready, a control arm that fails. */
  readonly missing: readonly string[];
  /** Likewise, before the start alone: a shadow that has not passed. */
  readonly missingToStart: readonly string[];
  /** Undefined when nobody can tell, which is no reason to go on. */
  readonly numbers: RampNumbers | undefined;
}

/** One look at a ramp. */
export interface RampLook {
  readonly plan: RampPlan;
  readonly observation: RampObservation;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly nowMs: number;
}

/** Has no prediction come for the time of grace, since the step began? */
export function isSilent(state: RampState, { plan, observation, nowMs }: RampLook): boolean {
  if (state.kind !== "running") return false;
  const lastMs = observation.numbers?.lastPredictionMs ?? state.sinceMs;
  return nowMs - Math.max(lastMs, state.sinceMs) >= plan.graceMs;
}
