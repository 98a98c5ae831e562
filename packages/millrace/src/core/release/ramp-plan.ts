/** A step of a ramp. */
export interface RampStep {
  /** 0 to 1; larger than that of the step before. */
  readonly coverage: number;
  readonly holdMs: number;
  /** Units that each arm has at least. */
  readonly unitsMin: number;
  /** Does somebody have to approve before the next step? */
  readonly needsApproval: boolean;
}

/** How a ramp goes, and what ends it: the `ramp` of the file with what the guardrails do. */
export interface RampPlan {
  /** At least one. */
  readonly steps: readonly RampStep[];
  readonly start: "auto" | "manual";
  readonly promote: "auto" | "approval" | "off";
  readonly noData: "hold" | "fail" | "pass";
  /** Time without data after which `noData` holds. */
  readonly graceMs: number;
  readonly onRegression: RampReaction;
  /** Units are not split as the weights say, or some were in several arms. */
  readonly onMismatch: RampReaction;
}

export type RampReaction = "rollback" | "hold" | "warn";

/** Has somebody to approve before the ramp leaves the step? The last one leads to the winner, if to anything. */
export function needsApproval({ steps, promote }: RampPlan, step: number): boolean {
  const isNeeded = steps[step]?.needsApproval === true;
  if (step < steps.length - 1) return isNeeded;
  return promote === "approval" || (promote === "auto" && isNeeded);
}
