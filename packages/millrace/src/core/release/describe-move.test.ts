import { expect, it } from "vitest";
import { describeMove } from "./describe-move.ts";
import { runningAt } from "./next-ramp.ts";
import type { RampState } from "./ramp-state.ts";
import { planOf, START_MS } from "./test-ramp.ts";

const pending: RampState = { kind: "pending", why: "" };
const first = runningAt(0, START_MS);
const paused: RampState = { kind: "paused", step: 0, why: "ann", ranMs: 0, isApproved: false };
const rolledBack: RampState = { kind: "rolled_back", why: "errors" };
const completed: RampState = { kind: "completed", winner: "b", why: "better" };

it.each<[RampState, RampState, string | undefined, string?]>([
  [pending, { kind: "pending", why: "arm b is not ready" }, undefined],
  [pending, { kind: "ready" }, "ready"],
  [pending, first, "started", "at step 1 of 3 (2 %)"],
  [first, { ...first, waitsFor: ["time"] }, undefined],
  [first, runningAt(1, START_MS), "step 2 of 3 (10 %)"],
  [first, { ...first, isApproved: true }, "approved"],
  [first, paused, "paused", "ann"],
  [paused, { ...paused, isApproved: true }, "approved"],
  [paused, first, "resumed", "at step 1 of 3 (2 %)"],
  [first, completed, "completed: b gets all traffic", "better"],
  [first, { ...completed, winner: undefined }, "completed", "better"],
  [first, rolledBack, "rolled back", "errors"],
  [rolledBack, { ...rolledBack, why: "again" }, undefined],
  [rolledBack, { kind: "pending", why: "ann" }, "pending", "ann"],
])("describeMove() from %j to %j says %s", (before, after, what, why) => {
  const move = describeMove(before, after, planOf());
  expect(move?.what).toBe(what);
  if (why !== undefined) expect(move?.why).toBe(why);
});
