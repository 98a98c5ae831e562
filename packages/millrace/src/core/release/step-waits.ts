import type { Decision } from "../experiment/experiment-report.ts";
import { isSilent, type RampLook, type RampNumbers } from "./ramp-look.ts";
import { needsApproval, type RampPlan, type RampStep } from "./ramp-plan.ts";
import type { RunningRamp } from "./ramp-state.ts";
import { wordsOfMs } from "./words-of-ms.ts";

/** What has to come before the ramp may leave its step, in words; empty when nothing is missing. */
export function stepWaits(state: RunningRamp, look: RampLook): readonly string[] {
  const { plan, observation, nowMs } = look;
  const step = plan.steps[state.step] as RampStep;
  const ranMs = Math.max(0, nowMs - state.sinceMs);
  const waits = [...observation.missing];
  if (ranMs < step.holdMs) waits.push(`time: ${wordsOfMs(step.holdMs - ranMs)} left`);
  waits.push(...numberWaits(state, step, look));
  if (needsApproval(plan, state.step) && !state.isApproved) waits.push("approval");
  return waits;
}

function numberWaits(state: RunningRamp, step: RampStep, look: RampLook): readonly string[] {
  const { plan, observation } = look;
  const { numbers } = observation;
  const silent = isSilent(state, look);
  // Numbers from before the step, or none at all, say nothing of it: that is never a pass.
  if (numbers === undefined || numbers.untilMs < state.sinceMs) {
    return [silent ? noDataFor(plan) : "numbers: the log has not been asked yet"];
  }
  const mayPass = silent && plan.noData === "pass";
  const waits: string[] = [];
  const held = heldBy(numbers.decision, plan, mayPass);
  if (held !== undefined) waits.push(held);
  if (silent && !mayPass) waits.push(noDataFor(plan));
  if (!silent) waits.push(...dataWaits(numbers, state));
  if (!mayPass) waits.push(...unitWaits(numbers, step));
  const isLast = state.step === plan.steps.length - 1;
  if (isLast && held === undefined && numbers.decision.kind !== "ship") {
    waits.push(`decision: ${numbers.decision.why}`);
  }
  return waits;
}

/** Why the decision stops the ramp where it is; undefined when it does not. */
function heldBy(decision: Decision, plan: RampPlan, mayPass: boolean): string | undefined {
  switch (decision.kind) {
    case "ship":
    case "keep_running":
      return undefined;
    case "rollback":
      return plan.onRegression === "warn" ? undefined : `guardrails: ${decision.why}`;
    case "inconclusive": {
      const isTold = isMismatch(decision) && plan.onMismatch === "warn";
      const isPassed = decision.reason === "no_data" && mayPass;
      return isTold || isPassed ? undefined : `numbers: ${decision.why}`;
    }
  }
}

/** Units of earlier steps say nothing of this one, and what sees nothing guards nothing. */
function dataWaits(
  { lastPredictionMs, blind }: RampNumbers,
  { sinceMs }: RunningRamp,
): readonly string[] {
  const isNobody = lastPredictionMs === undefined || lastPredictionMs < sinceMs;
  return [
    ...(isNobody ? ["data: no prediction since the step began"] : []),
    ...blind.map((words) => `guardrails: ${words}`),
  ];
}

function unitWaits({ units }: RampNumbers, { unitsMin }: RampStep): readonly string[] {
  return units
    .filter(({ count }) => count < unitsMin)
    .map(({ arm, count }) => `units: ${arm} has ${count} of ${unitsMin}`);
}

function noDataFor({ graceMs }: RampPlan): string {
  return `data: no prediction for ${wordsOfMs(graceMs)}`;
}

/** The numbers themselves cannot be trusted. */
export function isMismatch(decision: Decision): boolean {
  if (decision.kind !== "inconclusive") return false;
  return decision.reason === "sample_ratio_mismatch" || decision.reason === "multiple_exposures";
}
