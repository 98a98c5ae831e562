import { isSilent, type RampLook } from "./ramp-look.ts";
import type { RampState, RunningRamp } from "./ramp-state.ts";
import { isMismatch, stepWaits } from "./step-waits.ts";
import { wordsOfMs } from "./words-of-ms.ts";

/**
 * Where a ramp is after a look at it: at most one step further, so that who was away for long catches up step by step,
 * each with its own time, approval and numbers.
 * @param state of this plan, see `fitRamp`.
 */
export function nextRamp(state: RampState, look: RampLook): RampState {
  switch (state.kind) {
    case "pending":
    case "ready":
      return beforeStart(state, look);
    case "running":
      return rolledBack(state, look) ?? moved(state, look);
    case "paused":
      return rolledBack(state, look) ?? state;
    case "completed":
      // Without a winner the arms are still divided, and guarded.
      return state.winner === undefined ? (rolledBack(state, look) ?? state) : state;
    case "rolled_back":
      return state;
  }
}

function beforeStart(
  state: Extract<RampState, { kind: "pending" | "ready" }>,
  { plan, observation, nowMs }: RampLook,
): RampState {
  const missing = [...observation.missing, ...observation.missingToStart];
  if (missing.length > 0) {
    const why = missing.join("; ");
    return state.kind === "pending" && state.why === why ? state : { kind: "pending", why };
  }
  if (plan.start === "auto") return runningAt(0, nowMs);
  return state.kind === "ready" ? state : { kind: "ready" };
}

/** The ramp at a step that begins now. */
export function runningAt(step: number, nowMs: number): RunningRamp {
  return { kind: "running", step, sinceMs: nowMs, isApproved: false, waitsFor: [] };
}

/** Rolled back, when something asks for that; undefined when nothing does. */
function rolledBack(state: RampState, look: RampLook): RampState | undefined {
  const { plan, observation } = look;
  const decision = observation.numbers?.decision;
  if (decision?.kind === "rollback" && plan.onRegression === "rollback") {
    return { kind: "rolled_back", why: decision.why };
  }
  if (decision !== undefined && isMismatch(decision) && plan.onMismatch === "rollback") {
    return { kind: "rolled_back", why: decision.why };
  }
  if (plan.noData === "fail" && isSilent(state, look)) {
    return { kind: "rolled_back", why: `no prediction for ${wordsOfMs(plan.graceMs)}` };
  }
  return undefined;
}

function moved(state: RunningRamp, look: RampLook): RampState {
  const { plan, nowMs } = look;
  const waitsFor = stepWaits(state, look);
  if (waitsFor.length > 0) return { ...state, waitsFor };
  if (state.step + 1 < plan.steps.length) return runningAt(state.step + 1, nowMs);
  return completed(state, look);
}

function completed(state: RunningRamp, { plan, observation }: RampLook): RampState {
  const decision = observation.numbers?.decision;
  // `stepWaits` lets nothing else leave the last step.
  if (decision?.kind !== "ship") return state;
  const winner = plan.promote === "off" ? undefined : decision.arm;
  return { kind: "completed", winner, why: decision.why };
}
