import { describe, expect, it } from "vitest";
import { effectOf } from "../../core/release/ramp-effect.ts";
import type { ShadowVerdict } from "../../core/shadow/shadow-report.ts";
import { planOf } from "./experiment-state.ts";
import {
  ACTIVE,
  analysisAt,
  COVERAGE,
  EXCLUDED,
  experimentOf,
  RAMP_PLAN,
  shadowAnalysisAt,
  shadowOf,
  startReleases,
  WINNER,
  type Gate,
  type TestReleases,
  type TestTraffic,
} from "./test-releases.ts";

/** Control is killed before and after everything it writes: its state, an override, the change in the processes. */

const STEPS = RAMP_PLAN.steps.map((step) => ({ ...step, holdMs: 3_000 }));
const EXPERIMENT = experimentOf({
  ramp: { ...RAMP_PLAN, steps: STEPS },
  analysis: { ...experimentOf().analysis, everyMs: 1_000 },
});
const ALL_MS = 30_000;
const POINTS_MAX = 1_000;

/** Lets through so many times, and then nothing ever again. */
class Countdown {
  #left: number;

  constructor(count: number) {
    this.#left = count;
  }

  get isOver(): boolean {
    return this.#left < 0;
  }

  readonly gate: Gate = () => {
    this.#left--;
    return this.isOver ? new Promise(() => undefined) : Promise.resolve();
  };
}

/** @returns what is there at the end; undefined when it was over before the point. */
async function killedAt(
  point: number,
  prepare: (traffic: TestTraffic) => void,
  analyses: TestReleases["analyses"],
): Promise<TestReleases | undefined> {
  const countdown = new Countdown(point);
  const first = await startReleases(prepare, { gate: countdown.gate, analyses });
  await first.passMs(ALL_MS);
  if (!countdown.isOver) return undefined;
  return first.startAgain();
}

function inForce({ traffic }: TestReleases): object {
  return {
    coverage: traffic.valueOf(COVERAGE) ?? EXPERIMENT.coverage,
    isActive: traffic.valueOf(ACTIVE) ?? EXPERIMENT.isActive,
    winner: traffic.valueOf(WINNER),
  };
}

async function expectAgreement(releases: TestReleases): Promise<void> {
  const { ramp, problem } = await releases.controller.experiment("rf");
  if (ramp === undefined) throw new Error("it has a ramp");
  expect(inForce(releases)).toEqual(effectOf(ramp.state, planOf(EXPERIMENT)));
  expect(problem).toBeUndefined();
}

async function whatHappened({ controller }: TestReleases): Promise<string[]> {
  const { events } = await controller.experiment("rf");
  return events.map(({ what }) => what).toReversed();
}

/** Runs the case for every point there is. */
async function atEveryPoint(run: (point: number) => Promise<boolean>): Promise<number> {
  for (let point = 0; point < POINTS_MAX; point++) if (!(await run(point))) return point;
  throw new Error(`it was not over after ${POINTS_MAX} points`);
}

const hold = (untilMs: number) =>
  Promise.resolve(shadowAnalysisAt(untilMs, { kind: "hold", why: "too few pairs" }));

describe("ReleaseController when control is killed at any point", () => {
  it("agrees with what is in force one look later, takes every step once, and ships", async () => {
    const analyses: TestReleases["analyses"] = {
      experiment: ({ untilMs }) => {
        const decision = { kind: "ship", arm: "treatment", why: "better" } as const;
        return Promise.resolve(analysisAt(untilMs, { decision }));
      },
      shadow: ({ untilMs }) => hold(untilMs),
    };
    const prepare = (traffic: TestTraffic): void => {
      traffic.experiments = { iris: EXPERIMENT };
    };
    const points = await atEveryPoint(async (point) => {
      const again = await killedAt(point, prepare, analyses);
      if (again === undefined) return false;
      await again.passMs(1_000);
      await expectAgreement(again);
      await again.passMs(ALL_MS);
      await expectAgreement(again);
      expect(await whatHappened(again)).toEqual([
        "phase 1",
        "started",
        "decision: ship treatment",
        "step 2 of 3 (10 %)",
        "step 3 of 3 (100 %)",
        "completed: treatment gets all traffic",
      ]);
      const coverages = await again.changes.history({ path: COVERAGE, limit: 10 });
      expect(coverages.map(({ value }) => value)).toEqual([1, 0.1, 0.02]);
      return true;
    });
    expect(points).toBeGreaterThan(30);
  }, 60_000);

  it("rolls back for good", async () => {
    const analyses: TestReleases["analyses"] = {
      experiment: ({ untilMs }) => {
        const decision = { kind: "rollback", why: "errors" } as const;
        return Promise.resolve(analysisAt(untilMs, { decision }));
      },
      shadow: ({ untilMs }) => hold(untilMs),
    };
    const prepare = (traffic: TestTraffic): void => {
      traffic.experiments = { iris: EXPERIMENT };
    };
    const points = await atEveryPoint(async (point) => {
      const again = await killedAt(point, prepare, analyses);
      if (again === undefined) return false;
      await again.passMs(5_000);
      await expectAgreement(again);
      expect(again.traffic.valueOf(ACTIVE)).toBe(false);
      expect((await whatHappened(again)).filter((what) => what === "rolled back")).toHaveLength(1);
      return true;
    });
    expect(points).toBeGreaterThan(10);
  }, 60_000);

  it("excludes a shadow once", async () => {
    const verdict: ShadowVerdict = { kind: "exclude", why: "only 90 % agree" };
    const analyses: TestReleases["analyses"] = {
      experiment: ({ untilMs }) => Promise.resolve(analysisAt(untilMs)),
      shadow: ({ untilMs }) => Promise.resolve(shadowAnalysisAt(untilMs, verdict)),
    };
    const prepare = (traffic: TestTraffic): void => {
      traffic.experiments = {};
      traffic.shadowsByService = { iris: [shadowOf()] };
    };
    const points = await atEveryPoint(async (point) => {
      const again = await killedAt(point, prepare, analyses);
      if (again === undefined) return false;
      await again.passMs(15_000);
      expect(again.traffic.valueOf(EXCLUDED)).toBe(true);
      const { events } = await again.controller.shadow("rf-shadow");
      expect(events.filter(({ what }) => what === "excluded")).toHaveLength(1);
      const history = await again.changes.history({ path: EXCLUDED, limit: 10 });
      expect(history).toHaveLength(1);
      return true;
    });
    expect(points).toBeGreaterThan(5);
  }, 60_000);
});
