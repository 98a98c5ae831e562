import { expect, test } from "vitest";
import type { OverrideEvent } from "../ports/override-store.ts";
import { overridesAt } from "./overrides-at.ts";

const FACTS = { by: "ann", reason: "r", atMs: 0, setAtMs: 0, expiresAtMs: undefined };

function event(version: number, path: string, value: number | undefined): OverrideEvent {
  const action = value === undefined ? "unset" : "set";
  return { ...FACTS, version, path, action, old: undefined, value };
}

/** The newest first: a = 1, b = 2, a = 3, a unset, b = 5. */
const EVENTS = [
  event(5, "b", 5),
  event(4, "a", undefined),
  event(3, "a", 3),
  event(2, "b", 2),
  event(1, "a", 1),
];
const STATE = { version: 5, overrides: [{ ...FACTS, path: "b", value: 5, version: 5 }] };

test("overridesAt() tells what was in force at each version", () => {
  const values = [0, 1, 2, 3, 4, 5].map((version) =>
    overridesAt(version, STATE, EVENTS).map(
      ({ path, value }) => `${path}=${JSON.stringify(value)}`,
    ),
  );
  expect(values).toEqual([[], ["a=1"], ["a=1", "b=2"], ["a=3", "b=2"], ["b=2"], ["b=5"]]);
});

test("overridesAt() knows what is older than the history as far as it still holds", () => {
  const old = { ...FACTS, path: "old", value: 1, version: 2 };
  const state = { version: 5, overrides: [old, ...STATE.overrides] };
  expect(overridesAt(4, state, EVENTS.slice(0, 1))).toEqual([
    { path: "old", value: 1, version: 2, by: "ann", reason: "r" },
  ]);
});
