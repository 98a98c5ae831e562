import type { RampPlan } from "./ramp-plan.ts";
import type { RampState } from "./ramp-state.ts";

/** What happened, for the events and the log. */
export interface RampMove {
  /** `started`, `step 2 of 5 (10 %)`, `paused`, `rolled back`, … */
  readonly what: string;
  readonly why: string;
}

/** What leads from one state to another, in words; undefined when nothing happened but time. */
export function describeMove(
  before: RampState,
  after: RampState,
  plan: RampPlan,
): RampMove | undefined {
  switch (after.kind) {
    case "pending":
      if (before.kind === "pending") return undefined;
      return { what: "pending", why: after.why };
    case "ready":
      return before.kind === "ready" ? undefined : { what: "ready", why: "nothing is missing" };
    case "running":
      return describeRunning(before, after, plan);
    case "paused":
      if (before.kind !== "paused") return { what: "paused", why: after.why };
      return before.isApproved === after.isApproved ? undefined : { what: "approved", why: "" };
    case "completed":
      if (before.kind === "completed") return undefined;
      return {
        what:
          after.winner === undefined ? "completed" : `completed: ${after.winner} gets all traffic`,
        why: after.why,
      };
    case "rolled_back":
      return before.kind === "rolled_back" ? undefined : { what: "rolled back", why: after.why };
  }
}

function describeRunning(
  before: RampState,
  after: Extract<RampState, { kind: "running" }>,
  { steps }: RampPlan,
): RampMove | undefined {
  const percent = Number(((steps[after.step]?.coverage ?? 0) * 100).toFixed(4));
  const step = `step ${after.step + 1} of ${steps.length} (${percent} %)`;
  if (before.kind === "paused") return { what: "resumed", why: `at ${step}` };
  if (before.kind !== "running") return { what: "started", why: `at ${step}` };
  if (before.step !== after.step) return { what: step, why: "nothing was left to wait for" };
  return before.isApproved === after.isApproved ? undefined : { what: "approved", why: "" };
}
