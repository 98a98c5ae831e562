import { expect, it } from "vitest";
import { fitRamp } from "./fit-ramp.ts";
import { runningAt } from "./next-ramp.ts";
import type { RampState } from "./ramp-state.ts";
import { planOf, START_MS, stepOf } from "./test-ramp.ts";

const BEFORE = [0.02, 0.1, 1];
const LATER_MS = START_MS + 5;
const plan = planOf({ steps: [stepOf(0.05), stepOf(0.08), stepOf(0.5)] });

it("fitRamp() changes nothing while the coverages stay", () => {
  const state = runningAt(1, START_MS);
  expect(fitRamp(state, BEFORE, planOf(), LATER_MS)).toBe(state);
  const ended: RampState = { kind: "rolled_back", why: "" };
  expect(fitRamp(ended, BEFORE, plan, LATER_MS)).toBe(ended);
});

it("fitRamp() goes on at the highest step that is no larger, with all of its time", () => {
  expect(fitRamp(runningAt(1, START_MS), BEFORE, plan, LATER_MS)).toEqual(runningAt(1, LATER_MS));
  expect(fitRamp(runningAt(2, START_MS), BEFORE, plan, LATER_MS)).toEqual(runningAt(2, LATER_MS));
  const paused: RampState = { kind: "paused", step: 1, why: "w", ranMs: 9, isApproved: true };
  expect(fitRamp(paused, BEFORE, plan, LATER_MS)).toEqual({
    ...paused,
    step: 1,
    ranMs: 0,
    isApproved: false,
  });
});

it("fitRamp() begins anew when every step is larger", () => {
  expect(fitRamp(runningAt(0, START_MS), BEFORE, plan, LATER_MS).kind).toBe("pending");
});
