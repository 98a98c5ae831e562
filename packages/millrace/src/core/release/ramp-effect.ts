import type { RampPlan, RampStep } from "./ramp-plan.ts";
import type { RampEffect, RampState } from "./ramp-state.ts";

const CONTROL_ALONE: RampEffect = { coverage: 0, isActive: false, winner: undefined };

/** What the live keys of the experiment are to be while its ramp is in the state. */
export function effectOf(state: RampState, { steps }: RampPlan): RampEffect {
  switch (state.kind) {
    case "pending":
    case "ready":
    case "rolled_back":
      return CONTROL_ALONE;
    case "running":
    case "paused":
      return { coverage: coverageOf(steps[state.step]), isActive: true, winner: undefined };
    case "completed":
      return { coverage: coverageOf(steps.at(-1)), isActive: true, winner: state.winner };
  }
}

function coverageOf(step: RampStep | undefined): number {
  return (step as RampStep).coverage;
}
