import { afterEach, describe, expect, test } from "vitest";
import type { ServiceConfig } from "../../packages/millrace/src/config/config.ts";
import type { ExperimentConfig } from "../../packages/millrace/src/config/experiment-config.ts";
import type { ExposureRow } from "../../packages/millrace/src/core/predictions/exposure-row.ts";
import type { Target } from "../../packages/millrace/src/serve/data-plane.ts";
import { explainRecord } from "../../packages/millrace/src/serve/explain-record.ts";
import {
  experimentConfig,
  testUnitHash,
} from "../../packages/millrace/src/serve/experiments/test-experiment.ts";
import { isModelReady } from "../../packages/millrace/src/serve/oip/target-of.ts";
import { numbers, withHeaders } from "./graph-world.ts";
import { LOG_WORLD_RECORDS_MAX, openLogWorld, type LogWorld } from "./log-world.ts";
import { modelStep, serviceConfig } from "./plane-parts.ts";

const MODELS = {
  old: { path: "gather.onnx", sample: [0] },
  new: { path: "gather.onnx", sample: [0] },
};

const open: LogWorld[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ world }) => world.close()));
});

/** A service `s` whose arms are the models `old` and `new`. */
async function serve(own: Partial<ExperimentConfig> = {}): Promise<LogWorld> {
  const made = await openLogWorld(MODELS);
  open.push(made);
  await change(made, own);
  return made;
}

function change(
  { world }: LogWorld,
  own: Partial<ExperimentConfig>,
  service: Partial<ServiceConfig> = {},
): Promise<void> {
  const experiment = experimentConfig(own);
  return world.serve(serviceConfig({ graph: modelStep("old"), experiment, ...service }));
}

function targetOf(
  { world }: LogWorld,
  headers: Readonly<Record<string, string>>,
  unit = "p",
): Target {
  const { plane } = world;
  return plane.target(plane.services.get("s"), { attributes: { ...withHeaders(headers), unit } });
}

function armOf(made: LogWorld, user: string): string | undefined {
  return targetOf(made, { "x-user": user }).arm?.assignment.arm;
}

const users = (count: number): string[] => Array.from({ length: count }, (_, i) => `user-${i}`);

function armsOf(made: LogWorld, all: readonly string[]): Map<string, string | undefined> {
  return new Map(all.map((user) => [user, armOf(made, user)]));
}

async function predict(
  { world }: LogWorld,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const { model } = await world.predict("s", numbers("INDEX", 1), {
    attributes: withHeaders(headers),
  });
  return model;
}

describe("target()", () => {
  test("splits ten thousand users 60 to 40, and gives each the same arm again", async () => {
    const made = await serve();
    const all = users(10_000);
    const first = armsOf(made, all);
    const treated = [...first.values()].filter((arm) => arm === "treatment").length;
    // Within 4 standard deviations of the binomial: one run in 16,000 would miss it, and this one is always the same.
    expect(Math.abs(treated - 4_000)).toBeLessThan(4 * Math.sqrt(10_000 * 0.6 * 0.4));
    expect(armsOf(made, all)).toEqual(first);
    const [user] = all.filter((one) => first.get(one) === "treatment");
    expect(targetOf(made, { "x-user": user ?? "" }).predictor.modelName).toBe("new");
  });

  test.each([true, false])(
    "flips nobody while the coverage rises, sticky: %s",
    async (isSticky) => {
      const made = await serve({ coverage: 0.02, isSticky });
      const all = users(2_000);
      const known = new Map<string, string>();
      for (const coverage of [0.02, 0.1, 0.2, 0.5, 1]) {
        await change(made, { coverage, isSticky });
        for (const user of all) {
          const assignment = targetOf(made, { "x-user": user }).arm?.assignment;
          if (assignment?.kind !== "enrolled") continue;
          expect(known.get(user) ?? assignment.arm).toBe(assignment.arm);
          known.set(user, assignment.arm);
        }
        expect(Math.abs(known.size - coverage * all.length)).toBeLessThan(0.05 * all.length);
      }
      expect(known.size).toBe(all.length);
    },
  );

  test("moves nobody who takes part when the weights change, and divides the others anew", async () => {
    const made = await serve();
    const first = armsOf(made, users(500));
    const arms = [
      { name: "control", to: "old", weight: 0 },
      { name: "treatment", to: "new", weight: 1 },
    ];
    await change(made, { arms });
    expect(armsOf(made, users(500))).toEqual(first);
    expect(targetOf(made, { "x-user": "late" }).arm?.assignment).toMatchObject({
      arm: "treatment",
      phase: 2,
      propensity: 1,
    });
  });

  test("gives everyone control when it is off, and the winner when it is decided", async () => {
    const made = await serve();
    const armsNow = (): unknown => new Set(armsOf(made, users(200)).values());
    expect(armsNow()).toEqual(new Set(["control", "treatment"]));
    await change(made, { isActive: false });
    expect(armsNow()).toEqual(new Set(["control"]));
    await change(made, { winner: "treatment", isActive: false });
    expect(armsNow()).toEqual(new Set(["treatment"]));
    expect(targetOf(made, {}).predictor.modelName).toBe("new");
  });

  test("gives control to who names nobody, and draws where there is no unit", async () => {
    const made = await serve();
    expect(targetOf(made, {}).arm?.assignment).toMatchObject({ arm: "control", reason: "no_unit" });
    await change(made, { unit: [] });
    const drawn = users(1_000).map((id) => targetOf(made, {}, id).arm?.assignment.arm);
    const treated = drawn.filter((arm) => arm === "treatment").length;
    expect(Math.abs(treated - 400)).toBeLessThan(4 * Math.sqrt(1_000 * 0.24));
  });

  test("keeps units out that belong to another experiment of the namespace", async () => {
    const made = await serve({ namespace: { name: "page", from: 0, to: 0.5 } });
    const reasons = users(1_000).map((user) => {
      const assignment = targetOf(made, { "x-user": user }).arm?.assignment;
      return assignment?.kind === "not_enrolled" ? assignment.reason : assignment?.kind;
    });
    expect(new Set(reasons)).toEqual(new Set(["enrolled", "namespace"]));
    expect(Math.abs(reasons.filter((one) => one === "enrolled").length - 500)).toBeLessThan(64);
  });

  test("asks no experiment where a version, a rule or nobody asks", async () => {
    const made = await serve();
    const { plane } = made.world;
    const rules = [
      {
        name: "vip",
        when: { kind: "header", name: "x-vip", test: { kind: "equals", value: "1" } },
        to: "new",
      },
    ] as const;
    await change(made, {}, { rules });
    expect(targetOf(made, { "x-vip": "1", "x-user": "ann" })).toMatchObject({
      rule: "vip",
      arm: undefined,
    });
    expect(targetOf(made, { "x-user": "ann" }).arm).toBeDefined();
    const service = plane.services.get("s");
    expect(plane.target(service).arm).toBeUndefined();
    expect(
      plane.target(service, { version: 1, attributes: withHeaders({ "x-user": "ann" }) }).arm,
    ).toBeUndefined();
    expect(plane.readsOf(service)).toBe("head");
  });

  test("refuses an arm there is not, counted as an error of the service", async () => {
    const made = await serve();
    expect(() => targetOf(made, { "x-variant": "best" })).toThrow(
      "expected an arm of rf: control, treatment",
    );
    expect(made.world.count("inference_requests_total", ["s", "INVALID_HEADER"])).toBe(1);
  });

  test("is not ready before the experiment is, nor without what an arm leads to", async () => {
    const made = await serve();
    const { plane } = made.world;
    const experiment = experimentConfig({
      arms: [
        { name: "control", to: "old", weight: 0.5 },
        { name: "treatment", to: "s.treatment", weight: 0.5 },
      ],
    });
    const s = serviceConfig({ graph: modelStep("old"), experiment });
    const arm = serviceConfig({
      name: "s.treatment",
      isDefault: false,
      graph: modelStep("missing"),
    });
    expect(isModelReady(plane, "s", undefined)).toBe(true);
    await made.world.serve(s, arm).catch(() => undefined);
    plane.setServices({ s, "s.treatment": arm, later: { ...s, name: "later" } });
    expect(() => isModelReady(plane, "s", undefined)).toThrow("missing");
    const later = plane.services.get("later");
    expect(() => plane.target(later, { attributes: withHeaders({}) })).toThrow(
      'experiment "rf" of service "later" is not ready',
    );
  });
});

describe("infer()", () => {
  test("writes rows with the arm, and one exposure for each unit", async () => {
    const made = await serve();
    const models = new Map<string, string>();
    for (const user of [...users(50), ...users(50)])
      models.set(user, await predict(made, { "x-user": user }));
    const rows = made.rows();
    const exposures = made.exposures();
    expect([rows.length, exposures.length]).toEqual([100, 50]);
    const hashes = new Map(users(50).map((user) => [testUnitHash(user), user]));
    for (const exposure of exposures) {
      const user = hashes.get(exposure.unit_hash ?? "") ?? "";
      expect(exposure.variant).toBe(models.get(user) === "new@1" ? "treatment" : "control");
      expect(rows.find((row) => row.prediction_id === exposure.prediction_id)).toMatchObject({
        experiment: "rf",
        variant: exposure.variant,
        phase: 1,
        propensity: exposure.propensity,
        unit_hash: exposure.unit_hash,
        ts: exposure.ts,
      });
    }
    const [exposure] = exposures as [ExposureRow];
    expect(exposure).toMatchObject({
      service: "s",
      experiment: "rf",
      phase: 1,
      coverage: 1,
      node: "p0-test",
    });
    expect(JSON.parse(rows[0]?.assignment ?? "")).toMatchObject({
      kind: "enrolled",
      is_kept: false,
      hash: exposure.hash,
    });
    expect(made.world.count("experiment_exposures_total", ["rf"])).toBe(50);
  });

  test("writes no exposure for who takes no part, and rows without propensity", async () => {
    const made = await serve();
    await predict(made, {});
    await predict(made, { "x-user": "ann", "x-variant": "treatment" });
    expect(made.exposures()).toEqual([]);
    const facts = made
      .rows()
      .map(({ experiment, variant, propensity, unit_hash: unit }) => [
        experiment,
        variant,
        propensity,
        unit,
      ]);
    expect(facts).toEqual([
      ["rf", "control", null, null],
      ["rf", "treatment", null, testUnitHash("ann")],
    ]);
  });

  test("writes an exposure for each request that draws, without a unit", async () => {
    const made = await serve({ unit: [] });
    await predict(made, {});
    await predict(made, {});
    expect(made.exposures().map(({ unit_hash: unit }) => unit)).toEqual([null, null]);
  });

  test("exposes a unit whose request fails, too", async () => {
    const made = await serve();
    const bad = made.world.predict("s", numbers("INDEX", 99), {
      attributes: withHeaders({ "x-user": "ann" }),
    });
    await expect(bad).rejects.toMatchObject({ code: "MODEL_FAILED" });
    expect(made.exposures()).toHaveLength(1);
    expect(made.rows()[0]).toMatchObject({ status: "error", experiment: "rf" });
  });

  test("keeps all rows of those that take part, and a sample of the others", async () => {
    const made = await serve({ coverage: 0.5 });
    const log = { ...serviceConfig({ graph: modelStep("old") }).log, sample: 0.0001 };
    await change(made, { coverage: 0.5 }, { log });
    for (const user of users(200)) await predict(made, { "x-user": user });
    const rows = made.rows().filter(({ propensity }) => propensity !== null);
    expect(new Set(rows.map(({ unit_hash: unit }) => unit))).toEqual(
      new Set(made.exposures().map(({ unit_hash: unit }) => unit)),
    );
    expect(new Set(rows.map(({ sampled_weight: weight }) => weight))).toEqual(new Set([1]));
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.length).toBeLessThan(140);
  });

  test("tells of a unit again when the log had no room for its exposure", async () => {
    const made = await serve();
    made.writer.isHeld = true;
    for (let i = 0; i < LOG_WORLD_RECORDS_MAX; i++) await made.world.ask("s", numbers("INDEX", 99));
    await predict(made, { "x-user": "ann" });
    expect(made.world.count("predlog_dropped_total", ["ring"])).toBeGreaterThan(0);
    expect(made.world.count("experiment_exposures_total", [])).toBe(0);
    made.writer.release();
    made.rows();
    await new Promise(setImmediate);
    await predict(made, { "x-user": "ann" });
    expect(made.exposures()).toHaveLength(1);
  });

  test("writes nothing where the service is not logged", async () => {
    const made = await serve();
    const log = { ...serviceConfig({ graph: modelStep("old") }).log, payload: "off" as const };
    await change(made, {}, { log });
    await predict(made, { "x-user": "ann" });
    expect([made.rows(), made.exposures()]).toEqual([[], []]);
    expect(made.world.count("experiment_exposures_total", ["rf"])).toBe(1);
  });

  test("explains from memory how the arm was found", async () => {
    const made = await serve();
    const { id } = await made.world.predict("s", numbers("INDEX", 1), {
      attributes: withHeaders({ "x-user": "ann" }),
    });
    const record = made.world.plane.recent.find(id);
    expect(record && explainRecord(record)).toMatchObject({
      experiment: "rf",
      phase: 1,
      assignment: {
        kind: "enrolled",
        coverage: 1,
        why: expect.stringContaining("the unit fell at") as string,
      },
    });
  });
});
