import { describe, expect, it } from "vitest";
import { attributesOf } from "../../core/rules/test-attributes.ts";
import { openExperiment } from "../experiments/test-experiment.ts";
import { unitHashOf } from "./unit-hash.ts";

const USER = { from: "header", name: "x-user" } as const;
const VISITOR = { from: "cookie", name: "visitor" } as const;
const hash = (text: string): string => `hash of ${text}`;

describe("unitHashOf()", () => {
  it("is that of the exposure, found where log.unit does not look, or named by the library", () => {
    const { experiment } = openExperiment({ unit: [USER, VISITOR] });
    const attributes = attributesOf({ headers: { cookie: "visitor=v" } });
    const arm = experiment.choose(attributes);
    expect(arm.unit).toBeDefined();
    expect(unitHashOf({ arm, attributes }, USER, hash)).toBe(arm.unit?.hash);
    const named = experiment.chooseFor({ unit: "ann", variant: undefined, predictionId: "p" });
    expect(unitHashOf({ arm: named, attributes: undefined }, USER, hash)).toBe(named.unit?.hash);
  });

  it("is of log.unit where no experiment knows the unit", () => {
    const attributes = attributesOf({ headers: { "x-user": "ann" } });
    const drawn = openExperiment({ unit: [] }).experiment.choose(attributes);
    for (const arm of [undefined, drawn]) {
      expect(unitHashOf({ arm, attributes }, USER, hash)).toBe("hash of ann");
      expect(unitHashOf({ arm, attributes }, VISITOR, hash)).toBeUndefined();
      expect(unitHashOf({ arm, attributes }, undefined, hash)).toBeUndefined();
    }
    expect(unitHashOf({ arm: undefined, attributes: undefined }, USER, hash)).toBeUndefined();
  });
});
