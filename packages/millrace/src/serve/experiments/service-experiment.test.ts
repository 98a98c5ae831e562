import { describe, expect, it } from "vitest";
import { attributesOf } from "../../core/rules/test-attributes.ts";
import { openExperiment, testUnitHash } from "./test-experiment.ts";

const from = (headers: Record<string, string>, unit = "p") => ({
  ...attributesOf({ headers }),
  unit,
});

describe("choose()", () => {
  it("gives a unit its arm, keeps it and counts the request", () => {
    const { experiment, sticky, registry } = openExperiment();
    const chosen = experiment.choose(attributesOf({ headers: { "x-user": "ann" } }));
    const { assignment } = chosen;
    expect(assignment).toMatchObject({ kind: "enrolled", phase: 1, isKept: false });
    expect(chosen.to).toBe(assignment.arm === "control" ? "old" : "new");
    expect(chosen.unit?.hash).toBe(testUnitHash("ann"));
    expect(sticky.find("s/rf", testUnitHash("ann"))).toEqual({
      arm: assignment.arm,
      phase: 1,
      propensity: assignment.arm === "control" ? 0.6 : 0.4,
    });
    const again = experiment.choose(attributesOf({ headers: { "x-user": "ann" } }));
    expect(again.assignment).toEqual({ ...assignment, isKept: true });
    const requests = registry.snapshot().find(({ name }) => name === "experiment_requests_total");
    const counted = JSON.stringify(requests);
    expect(counted).toContain('"enrolled"');
    expect(counted).toContain('"coverage"'); // reads 0 from the start
  });

  it("takes the first of several units that is there, and an empty one for none", () => {
    const unit = [
      { from: "header", name: "x-user" },
      { from: "cookie", name: "visitor" },
    ] as const;
    const { experiment } = openExperiment({ unit });
    const hashOf = (headers: Record<string, string>): string | undefined =>
      experiment.choose(attributesOf({ headers })).unit?.hash;
    const cookie = "visitor=v";
    expect(hashOf({ "x-user": "u", cookie })).toBe(testUnitHash("u"));
    expect(hashOf({ cookie })).toBe(testUnitHash("v"));
    expect(hashOf({ "x-user": "", cookie })).toBe(testUnitHash("v"));
    const nobody = experiment.choose(attributesOf({ headers: { "x-user": "" } }));
    expect(nobody).toMatchObject({
      to: "old",
      unit: undefined,
      assignment: { kind: "not_enrolled", reason: "no_unit" },
    });
  });

  it("draws for each request where there is no unit, and keeps nothing", () => {
    const { experiment, sticky } = openExperiment({ unit: [] });
    const arms = Array.from({ length: 1000 }, (_, i) => {
      const chosen = experiment.choose(from({}, `prediction ${i}`));
      expect(chosen.unit).toBeUndefined();
      return chosen.assignment.arm;
    });
    const share = arms.filter((arm) => arm === "control").length / arms.length;
    expect(share).toBeGreaterThan(0.55);
    expect(share).toBeLessThan(0.65);
    expect(sticky.arms.size).toBe(0);
  });

  it("gives a request the arm it names, and refuses one that there is not", () => {
    const { experiment, sticky } = openExperiment();
    const headers = { "x-user": "ann", "x-variant": "treatment" };
    expect(experiment.choose(attributesOf({ headers }))).toMatchObject({
      to: "new",
      assignment: { kind: "overridden", arm: "treatment" },
    });
    expect(sticky.arms.size).toBe(0);
    const wrong = (): unknown => experiment.choose(from({ "x-variant": `best${"!".repeat(100)}` }));
    expect(wrong).toThrow(/found "best!{60}", expected an arm of rf: control, treatment/);
    const off = openExperiment({ override: undefined }).experiment;
    expect(off.choose(from({ "x-variant": "best" })).assignment.arm).toBe("control");
  });

  it("counts no request of a test, which may name its arm nevertheless", () => {
    for (const unit of [[], undefined]) {
      const { experiment, sticky } = openExperiment(unit === undefined ? {} : { unit });
      const nobody = { kind: "not_enrolled", reason: "no_unit", arm: "control" };
      expect(experiment.choose(from({ "x-user": "ann" }), true).assignment).toMatchObject(nobody);
      const named = experiment.choose(from({ "x-variant": "treatment" }), true);
      expect(named.assignment).toMatchObject({ kind: "overridden", arm: "treatment" });
      expect(sticky.arms.size).toBe(0);
    }
  });

  it("goes by the arm of the process that was faster", () => {
    const { experiment, sticky } = openExperiment();
    const unit = testUnitHash("ann");
    const own = experiment.chooseFor({ unit: "ann", variant: undefined, predictionId: "p" });
    const other = own.assignment.arm === "control" ? "treatment" : "control";
    sticky.arms.clear();
    let isAsked = false;
    sticky.find = (experimentKey, hash) => {
      if (!isAsked) {
        isAsked = true;
        sticky.arms.set(`${experimentKey} ${hash}`, { arm: other, phase: 1, propensity: 0.5 });
        return undefined; // the other process adds it just now
      }
      return sticky.arms.get(`${experimentKey} ${hash}`);
    };
    const chosen = experiment.chooseFor({ unit: "ann", variant: undefined, predictionId: "p" });
    expect(chosen.assignment).toMatchObject({ arm: other, isKept: true });
    expect(sticky.arms.get(`s/rf ${unit}`)?.arm).toBe(other);
  });
});

describe("isFirst() and exposed()", () => {
  it("tell of a unit once, and of each request that draws", () => {
    const { experiment } = openExperiment();
    const ann = experiment.chooseFor({ unit: "ann", variant: undefined, predictionId: "1" });
    expect([experiment.isFirst(ann), experiment.isFirst(ann)]).toEqual([true, true]);
    experiment.exposed(ann);
    const again = experiment.chooseFor({ unit: "ann", variant: undefined, predictionId: "2" });
    expect(experiment.isFirst(again)).toBe(false);
    const drawing = openExperiment({ unit: [] }).experiment;
    const drawn = drawing.choose(from({}));
    drawing.exposed(drawn);
    expect(drawing.isFirst(drawn)).toBe(true);
  });

  it("are nothing for who takes no part", () => {
    const { experiment } = openExperiment();
    const named = { unit: "ann", variant: "treatment", predictionId: "p" };
    expect(experiment.isFirst(experiment.chooseFor(named))).toBe(false);
    const nobody = { unit: undefined, variant: undefined, predictionId: "p" };
    expect(experiment.isFirst(experiment.chooseFor(nobody))).toBe(false);
  });
});

it("reads is what unit and override need, and never nothing", () => {
  expect(openExperiment({ unit: [], override: undefined }).experiment.reads).toBe("head");
  expect(openExperiment().experiment.reads).toBe("head");
  const body = { from: "body", path: ["user"] } as const;
  expect(openExperiment({ unit: [body] }).experiment.reads).toBe("body");
  expect(openExperiment({ override: body }).experiment.reads).toBe("body");
});
