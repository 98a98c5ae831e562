import { runningAt } from "./next-ramp.ts";
import type { RampPlan } from "./ramp-plan.ts";
import type { RampState } from "./ramp-state.ts";

/**
 * A ramp whose steps were changed in the file while it was at one of them: it goes on at the highest that lets no more
 * units take part than take part now, with all of its time before it.
 * @param before coverages of the steps that `state` is of.
 */
export function fitRamp(
  state: RampState,
  before: readonly number[],
  { steps }: RampPlan,
  nowMs: number,
): RampState {
  if (state.kind !== "running" && state.kind !== "paused") return state;
  const isSame =
    before.length === steps.length &&
    steps.every(({ coverage }, index) => coverage === before[index]);
  if (isSame) return state;
  const coverage = before[state.step] ?? 0;
  const step = steps.findLastIndex((one) => one.coverage <= coverage);
  if (step === -1) {
    return { kind: "pending", why: "the steps were changed, and the first is larger than before" };
  }
  if (state.kind === "running") return runningAt(step, nowMs);
  return { ...state, step, ranMs: 0, isApproved: false };
}
