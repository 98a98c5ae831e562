import { expect, it } from "vitest";
import type { StoredOverride } from "../../ports/override-store.ts";
import { goneOverrides } from "./gone-overrides.ts";
import { ACTIVE, COVERAGE, EXCLUDED, experimentOf, shadowOf, WINNER } from "./test-releases.ts";

function overrideOf(path: string, by: string): StoredOverride {
  const facts = { value: 1, version: 1, reason: "", setAtMs: 0, expiresAtMs: undefined };
  return { path, by, ...facts };
}

const overrides = [
  overrideOf(COVERAGE, "ramp"),
  overrideOf(ACTIVE, "ann"),
  overrideOf(WINNER, "ramp"),
  overrideOf(EXCLUDED, "verdict"),
  overrideOf("services.iris.timeout", "ann"),
];
const state = { version: 1, overrides };
const config = experimentOf();
const experiments = [{ service: "iris", config, file: config }];
const shadows = [{ service: "iris", config: shadowOf(), file: shadowOf() }];

it("goneOverrides() names those of ramps and verdicts whose experiment or shadow is gone, and nobody's else", () => {
  const pathsWith = (traffic: Parameters<typeof goneOverrides>[0]): string[] =>
    goneOverrides(traffic, state).map(({ path }) => path);
  expect(pathsWith({ experiments, shadows })).toEqual([]);
  expect(pathsWith({ experiments, shadows: [] })).toEqual([EXCLUDED]);
  expect(pathsWith({ experiments: [], shadows })).toEqual([COVERAGE, WINNER]);
});
