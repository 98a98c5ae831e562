import { describe, expect, it } from "vitest";
import type { OverrideState, StoredOverride } from "../../ports/override-store.ts";
import { effectChange, type WantedKey } from "./effect-change.ts";

const PATH = "services.iris.traffic.experiment.coverage";

function overriddenBy(by: string, value: number, version: number): OverrideState {
  const override: StoredOverride = {
    path: PATH,
    value,
    version,
    by,
    reason: "",
    setAtMs: 0,
    expiresAtMs: undefined,
  };
  return { version, overrides: [override] };
}

const NONE: OverrideState = { version: 9, overrides: [] };
const made = { version: 5, paths: [PATH] };

function keyOf(value: number | undefined, inForce: number, file = 0): WantedKey {
  return { path: PATH, wanted: { kind: "value", value }, inForce, file };
}

describe("effectChange()", () => {
  it("is nothing when the key is as wanted, whoever has set it", () => {
    expect(effectChange([keyOf(0.5, 0.5)], overriddenBy("ann", 0.5, 9), made).kind).toBe("none");
  });

  it("sets what the file has otherwise, and gives back what it has so", () => {
    expect(effectChange([keyOf(0.5, 0.1)], overriddenBy("ramp", 0.1, 5), made)).toEqual({
      kind: "change",
      set: new Map([[PATH, 0.5]]),
      unset: [],
    });
    expect(effectChange([keyOf(0, 0.1)], overriddenBy("ramp", 0.1, 5), made)).toEqual({
      kind: "change",
      set: new Map(),
      unset: [PATH],
    });
  });

  it("takes the key from whoever has it when the ramp begins, or goes on by order", () => {
    const change = effectChange([keyOf(0.5, 0.1)], overriddenBy("ann", 0.1, 9), undefined);
    expect(change).toMatchObject({ kind: "change", unset: [] });
  });

  it("knows a hand by an override that is newer than the ramp's, and by one that is gone", () => {
    const newer = overriddenBy("ann", 0.1, 9);
    expect(effectChange([keyOf(0.5, 0.1)], newer, made)).toMatchObject({
      kind: "taken",
      by: { by: "ann" },
    });
    expect(effectChange([keyOf(0.5, 0)], NONE, made)).toMatchObject({ kind: "taken" });
  });

  it("sets again what was never the ramp's: the file has changed", () => {
    const before = { version: 5, paths: [] };
    expect(effectChange([keyOf(0.5, 0.7, 0.7)], NONE, before).kind).toBe("change");
  });

  it("goes over an older override of somebody that was as wanted until now", () => {
    const older = overriddenBy("ann", 0.1, 4);
    expect(effectChange([keyOf(0.5, 0.1)], older, made).kind).toBe("change");
  });

  it("gives back of a key that it wants nothing of what is the ramp's, and nobody else's", () => {
    const key: WantedKey = { path: PATH, wanted: { kind: "file" }, inForce: 0.5, file: 1 };
    expect(effectChange([key], overriddenBy("ramp", 0.5, 5), made)).toMatchObject({
      unset: [PATH],
    });
    expect(effectChange([key], overriddenBy("ann", 0.5, 9), made).kind).toBe("none");
  });
});
