import { expect, it } from "vitest";
import { SharedArms } from "./shared-arms.ts";

const ARM = { arm: "control", phase: 1, propensity: 0.5 };

it("of() gives the same object for the same arm, without what else the object has", () => {
  const shared = new SharedArms();
  const first = shared.of("iris/rf", { ...ARM });
  expect(first).toStrictEqual({ experiment: "iris/rf", arm: ARM });
  const larger = { ...ARM, request: "is not kept" };
  expect(shared.of("iris/rf", larger)).toBe(first);
});

it.each([
  ["experiment", "wine/rf", ARM],
  ["arm", "iris/rf", { ...ARM, arm: "treatment" }],
  ["phase", "iris/rf", { ...ARM, phase: 2 }],
  ["propensity", "iris/rf", { ...ARM, propensity: 0.4 }],
])("of() tells apart those of another %s", (_what, experiment, arm) => {
  const shared = new SharedArms();
  shared.of("iris/rf", ARM);
  expect(shared.of(experiment, arm)).toStrictEqual({ experiment, arm });
});

it("of() is right beyond its bound too", () => {
  const shared = new SharedArms();
  for (let phase = 0; phase < 300; phase++) {
    expect(shared.of("iris/rf", { ...ARM, phase }).arm.phase).toBe(phase);
  }
  expect(shared.of("iris/rf", { ...ARM, phase: 299 }).arm.phase).toBe(299);
});
