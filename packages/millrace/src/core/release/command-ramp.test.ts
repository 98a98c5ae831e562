import { expect, it } from "vitest";
import { commandRamp, commandsOf } from "./command-ramp.ts";
import { runningAt } from "./next-ramp.ts";
import { effectOf } from "./ramp-effect.ts";
import type { RampCommand, RampState } from "./ramp-state.ts";
import { HOUR_MS, planOf, START_MS, stepOf } from "./test-ramp.ts";

const PLAN = planOf({ steps: [stepOf(0.1, { needsApproval: true }), stepOf(1)] });
const COMMANDS = ["start", "pause", "resume", "approve", "abort", "retry"] as const;
const STATES: readonly RampState[] = [
  { kind: "pending", why: "arm b is not ready" },
  { kind: "ready" },
  runningAt(0, START_MS),
  { kind: "paused", step: 0, why: "by ann", ranMs: 1000, isApproved: false },
  { kind: "completed", winner: "b", why: "" },
  { kind: "completed", winner: undefined, why: "" },
  { kind: "rolled_back", why: "" },
];

function command(state: RampState, one: RampCommand, nowMs = START_MS): RampState {
  return commandRamp(state, PLAN, { command: one, why: "by ann", nowMs });
}

it.each(STATES)("commandRamp() aborts %j: everyone gets the control arm", (state) => {
  const aborted = command(state, "abort");
  expect(aborted).toEqual({ kind: "rolled_back", why: "by ann" });
  expect(effectOf(aborted, PLAN)).toEqual({ coverage: 0, isActive: false, winner: undefined });
});

it.each(STATES)("commandRamp() does to %j what is possible, and refuses the rest", (state) => {
  const possible = commandsOf(state, PLAN);
  for (const one of COMMANDS) {
    if (possible.includes(one)) expect(() => command(state, one)).not.toThrow();
    else expect(() => command(state, one)).toThrow(possible.join(", "));
  }
});

it("commandRamp() says in its refusal where the ramp is, why, and what is possible", () => {
  expect(() => command(STATES[0] as RampState, "start")).toThrow(
    "Cannot start: the ramp is pending (arm b is not ready), possible are abort",
  );
  expect(() => command(STATES[3] as RampState, "pause")).toThrow(
    "Cannot pause: the ramp is paused at step 1 (by ann), possible are resume, approve, abort",
  );
});

it("commandRamp() counts no time of a pause", () => {
  const paused = command(runningAt(0, START_MS), "pause", START_MS + HOUR_MS);
  expect(paused).toMatchObject({ kind: "paused", ranMs: HOUR_MS });
  const resumed = command(paused, "resume", START_MS + 10 * HOUR_MS);
  expect(resumed).toMatchObject({ kind: "running", step: 0, sinceMs: START_MS + 9 * HOUR_MS });
});

it("commandRamp() keeps an approval through a pause", () => {
  const approved = command(command(runningAt(0, START_MS), "pause"), "approve");
  expect(command(approved, "resume")).toMatchObject({ kind: "running", isApproved: true });
});

it("commandRamp() begins anew after an end", () => {
  expect(command({ kind: "rolled_back", why: "" }, "retry")).toEqual({
    kind: "pending",
    why: "by ann",
  });
});
