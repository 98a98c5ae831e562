import { MillraceError } from "../errors.ts";
import { runningAt } from "./next-ramp.ts";
import { needsApproval, type RampPlan } from "./ramp-plan.ts";
import type { RampCommand, RampState } from "./ramp-state.ts";

/** A command, and who gives it why: it goes into the state. */
export interface RampOrder {
  readonly command: RampCommand;
  /** `aborted by ann: too many complaints` */
  readonly why: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly nowMs: number;
}

/**
 * Does to a ramp what somebody says. `abort` is possible in every state, `retry` in every one that is an end.
 * @throws INVALID_TRANSITION, with what is possible.
 */
export function commandRamp(state: RampState, plan: RampPlan, order: RampOrder): RampState {
  const possible = commandsOf(state, plan);
  const { command, why, nowMs } = order;
  if (!possible.includes(command)) throw impossible(state, command, possible);
  if (command === "abort") return { kind: "rolled_back", why };
  if (command === "retry") return { kind: "pending", why };
  if (command === "start") return runningAt(0, nowMs);
  if (state.kind === "running") {
    if (command === "approve") return { ...state, isApproved: true };
    const { step, isApproved, sinceMs } = state;
    return { kind: "paused", step, why, ranMs: Math.max(0, nowMs - sinceMs), isApproved };
  }
  if (state.kind === "paused") {
    if (command === "approve") return { ...state, isApproved: true };
    const { step, isApproved, ranMs } = state;
    return { ...runningAt(step, nowMs - ranMs), isApproved };
  }
  return state;
}

/** What may be said to a ramp now. */
export function commandsOf(state: RampState, plan: RampPlan): readonly RampCommand[] {
  switch (state.kind) {
    case "pending":
      return ["abort"];
    case "ready":
      return ["start", "abort"];
    case "running":
    case "paused": {
      const approve = needsApproval(plan, state.step) ? (["approve"] as const) : [];
      return [state.kind === "running" ? "pause" : "resume", ...approve, "abort"];
    }
    case "completed":
    case "rolled_back":
      return ["retry", "abort"];
  }
}

function impossible(
  state: RampState,
  command: RampCommand,
  possible: readonly RampCommand[],
): MillraceError {
  const why = "why" in state && state.why !== "" ? ` (${state.why})` : "";
  const at = "step" in state ? ` at step ${state.step + 1}` : "";
  return new MillraceError(
    "INVALID_TRANSITION",
    `Cannot ${command}: the ramp is ${state.kind.replace("_", " ")}${at}${why}, possible are ${possible.join(", ")}`,
  );
}
