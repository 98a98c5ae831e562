import { describe, expect, it } from "vitest";
import type { ExperimentConfig } from "../../config/experiment-config.ts";
import { experimentConfig, openExperiments, TestStickyStore } from "./test-experiment.ts";

const WEIGHTS_50 = [
  { name: "control", to: "old", weight: 0.5 },
  { name: "treatment", to: "new", weight: 0.5 },
];

function services(own: Partial<ExperimentConfig> = {}, name = "s") {
  return [
    { name: "plain", experiment: undefined },
    { name, experiment: experimentConfig(own) },
  ];
}

describe("prepare()", () => {
  it("changes nothing before commit, and opens the store once", async () => {
    const { experiments } = openExperiments();
    const change = await experiments.prepare(services());
    expect(experiments.find("s")).toBeUndefined();
    change.commit();
    expect(experiments.find("s")?.config.name).toBe("rf");
    expect(experiments.find("plain")).toBeUndefined();
    (await experiments.prepare(services({ coverage: 0.5 }))).commit();
    expect(experiments.find("s")?.config.coverage).toBe(0.5);
  });

  it("opens no store where there is no experiment", async () => {
    const sticky = new TestStickyStore();
    const { experiments } = openExperiments(sticky);
    (await experiments.prepare([{ name: "plain", experiment: undefined }])).commit();
    await experiments.close();
    expect(sticky.calls).toEqual([]);
  });

  it("numbers splits: the same one has the same number for good", async () => {
    const { experiments } = openExperiments();
    const phaseOf = async (own: Partial<ExperimentConfig>): Promise<number | undefined> => {
      (await experiments.prepare(services(own))).commit();
      return experiments.find("s")?.phase;
    };
    expect(await phaseOf({})).toBe(1);
    expect(await phaseOf({ coverage: 0.1, isActive: false, winner: "control" })).toBe(1);
    expect(await phaseOf({ arms: WEIGHTS_50 })).toBe(2);
    expect(await phaseOf({ salt: "other" })).toBe(3);
    expect(await phaseOf({})).toBe(1);
    expect(await phaseOf({ name: "next" })).toBe(1);
  });

  it("makes arms known to all at once only while a split changes", async () => {
    const sticky = new TestStickyStore();
    const { experiments } = openExperiments(sticky);
    (await experiments.prepare(services())).commit();
    (await experiments.prepare(services({ coverage: 0.5, isActive: false }))).commit();
    expect(sticky.calls).toEqual([]);
    const change = await experiments.prepare(services({ arms: WEIGHTS_50 }));
    expect(sticky.calls).toEqual(["begin"]);
    change.abort();
    expect(sticky.calls).toEqual(["begin", "end"]);
    expect(experiments.find("s")?.phase).toBe(1);
    (await experiments.prepare(services({ arms: WEIGHTS_50 }))).commit();
    expect(sticky.calls).toEqual(["begin", "end", "begin", "end"]);
  });

  it("ends once what it began, also where a change is given up after it was made", async () => {
    const sticky = new TestStickyStore();
    const { experiments } = openExperiments(sticky);
    (await experiments.prepare(services())).commit();
    const change = await experiments.prepare(services({ arms: WEIGHTS_50 }));
    change.commit();
    change.abort();
    expect(sticky.calls).toEqual(["begin", "end"]);
  });

  it("refuses a new split while arms cannot be kept, and switches off nevertheless", async () => {
    const sticky = new TestStickyStore();
    const { experiments } = openExperiments(sticky);
    (await experiments.prepare(services())).commit();
    sticky.trouble = new Error("the disk is full");
    await expect(experiments.prepare(services({ arms: WEIGHTS_50 }))).rejects.toMatchObject({
      code: "INVALID_OVERRIDE",
      message: expect.stringContaining("the disk is full") as string,
    });
    (await experiments.prepare(services({ isActive: false }))).commit();
    expect(experiments.find("s")?.config.isActive).toBe(false);
  });

  it("tells of every unit again after a change, and of none after none", async () => {
    const { experiments } = openExperiments();
    (await experiments.prepare(services())).commit();
    const isFirst = (): boolean => {
      const experiment = experiments.find("s");
      const ann = experiment?.chooseFor({ unit: "ann", variant: undefined, predictionId: "p" });
      if (experiment === undefined || ann === undefined) throw new Error("There is none");
      const first = experiment.isFirst(ann);
      experiment.exposed(ann);
      return first;
    };
    expect([isFirst(), isFirst()]).toEqual([true, false]);
    (await experiments.prepare(services())).commit();
    expect(isFirst()).toBe(false);
    (await experiments.prepare(services({ minPhase: 1, coverage: 0.99 }))).commit();
    expect(isFirst()).toBe(true);
  });
});

it("what the store lost is counted, and that it fails is told", async () => {
  const sticky = new TestStickyStore();
  const { experiments, registry, lines } = openExperiments(sticky);
  (await experiments.prepare(services())).commit();
  experiments.onTrouble({ kind: "lost", reason: "backlog", count: 3 });
  experiments.onTrouble({ kind: "failed", error: new Error("it is locked") });
  experiments.onTrouble({ kind: "recovered" });
  expect(lines).toEqual([
    "Arms of units cannot be kept for now: it is locked; it is tried again",
    "Arms of units are kept again",
  ]);
  const unkept = registry.snapshot().find(({ name }) => name === "experiment_units_unkept_total");
  expect(JSON.stringify(unkept)).toContain("3");
});
