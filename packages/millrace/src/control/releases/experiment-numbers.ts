import type { Decision, ExperimentAnalysis } from "../../core/experiment/experiment-report.ts";
import type { RampNumbers } from "../../core/release/ramp-look.ts";
import type { RampState } from "../../core/release/ramp-state.ts";

/** Is anybody exposed in this state, so that the log may have something new to say? */
export function isExposed(ramp: RampState): boolean {
  if (ramp.kind === "completed") return ramp.winner === undefined;
  return ramp.kind === "running" || ramp.kind === "paused";
}

/** What a ramp looks at. */
export function numbersOf(analysis: ExperimentAnalysis): RampNumbers {
  const { window, decision, arms, lastPredictionMs } = analysis;
  return {
    untilMs: window.untilMs,
    decision,
    units: arms.map(({ arm, units }) => ({ arm, count: units })),
    lastPredictionMs,
  };
}

/** A decision as its event names it: `decision: ship rf`. */
export function nameOfDecision(decision: Decision): string {
  switch (decision.kind) {
    case "ship":
      return `decision: ship ${decision.arm}`;
    case "inconclusive":
      return `decision: inconclusive (${decision.reason.replaceAll("_", " ")})`;
    case "rollback":
    case "keep_running":
      return `decision: ${decision.kind.replace("_", " ")}`;
  }
}
