import type { ExperimentStatus } from "../core/release/release-report.ts";
import type { RampState } from "../core/release/ramp-state.ts";
import type { FactLine } from "./fact-lines.ts";
import { percentFigure, timeFigure } from "./figures.ts";

type Ramp = NonNullable<ExperimentStatus["ramp"]>;

/**
 * Where a ramp is, what it waits for and what its steps are.
 * @param told what has been said already, and need not be said again.
 */
export function rampFacts(ramp: Ramp | undefined, told: string | undefined): readonly FactLine[] {
  if (ramp === undefined) return [["ramp", "none: the coverage stays as it is"]];
  const { state, steps } = ramp;
  return [
    ["ramp", rampText(ramp)],
    ["since", state.kind === "running" ? timeFigure(state.sinceMs) : undefined],
    ["why", whyText(state, told)],
    ["waits for", waitsText(state)],
    ["steps", stepsText(steps, stepOf(state))],
  ];
}

/** `running, step 3 of 5 (20 %)`, in one line. */
export function rampText({ state, steps }: Ramp): string {
  const step = stepOf(state);
  const at =
    step === undefined
      ? ""
      : `, step ${step + 1} of ${steps.length} (${percentFigure(steps[step]?.coverage ?? 0)})`;
  switch (state.kind) {
    case "pending":
    case "ready":
    case "paused":
    case "running":
      return `${state.kind}${at}`;
    case "completed":
      return state.winner === undefined
        ? "completed, nothing is promoted"
        : `completed, ${state.winner} gets all traffic`;
    case "rolled_back":
      return "rolled back, the control arm gets all traffic";
  }
}

function stepOf(state: RampState): number | undefined {
  return state.kind === "running" || state.kind === "paused" ? state.step : undefined;
}

function whyText(state: RampState, told: string | undefined): string | undefined {
  if (state.kind === "ready") return "nothing is missing: millrace experiment start begins it";
  return state.kind === "running" || state.why === told ? undefined : state.why;
}

function waitsText(state: RampState): string | undefined {
  return state.kind === "running" ? state.waitsFor.join("\n") : undefined;
}

/** `2 %  10 %  [20 %]  50 %  100 %` */
function stepsText(steps: Ramp["steps"], current: number | undefined): string {
  return steps
    .map(({ coverage, needsApproval }, index) => {
      const text = `${percentFigure(coverage)}${needsApproval ? " then approval" : ""}`;
      return index === current ? `[${text}]` : text;
    })
    .join("  ");
}
