import type { RampPlan } from "./ramp-plan.ts";

const GRACE_MS = 86_400_000;

/** The plan of an experiment without a ramp: one step, which nothing follows; guardrails hold all the same. */
export function unrampedPlan(coverage: number): Omit<RampPlan, "onRegression" | "onMismatch"> {
  const step = { coverage, holdMs: 0, unitsMin: 0, needsApproval: false };
  return { steps: [step], start: "auto", promote: "off", noData: "hold", graceMs: GRACE_MS };
}
