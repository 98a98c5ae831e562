import { describe, expect, it } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import type { ExperimentStatus } from "../../core/release/release-report.ts";
import {
  ACTIVE,
  analysisAt,
  ANN,
  COVERAGE,
  experimentOf,
  HOUR_MS,
  MINUTE_MS,
  RAMP_PLAN,
  startReleases,
  WINNER,
  type TestReleases,
} from "./test-releases.ts";

const SHIP = { kind: "ship", arm: "treatment", why: "purchase is better" } as const;
const REGRESSED = { kind: "rollback", why: "errors got worse" } as const;

function keysOf({ traffic }: TestReleases): unknown[] {
  return [COVERAGE, ACTIVE, WINNER].map((path) => traffic.valueOf(path));
}

async function statusOf({ controller }: TestReleases, name = "rf"): Promise<ExperimentStatus> {
  return controller.experiment(name);
}

async function rampOf(releases: TestReleases): Promise<object | undefined> {
  return (await statusOf(releases)).ramp?.state;
}

async function whatHappened(releases: TestReleases): Promise<string[]> {
  const { events } = await statusOf(releases);
  return events.map(({ by, what }) => `${by}: ${what}`).toReversed();
}

describe("ReleaseController with a ramp", () => {
  it("goes from step to step, ships the winner, and tells each step as an event and a line", async () => {
    const releases = await startReleases();
    expect(keysOf(releases)).toEqual([0.02, undefined, undefined]);
    await releases.passMs(HOUR_MS - 1_000);
    expect(keysOf(releases)).toEqual([0.02, undefined, undefined]);
    await releases.passMs(2 * MINUTE_MS);
    expect(keysOf(releases)).toEqual([0.1, undefined, undefined]);
    releases.analyses.experiment = ({ untilMs }) =>
      Promise.resolve(analysisAt(untilMs, { decision: SHIP }));
    await releases.passMs(HOUR_MS + 2 * MINUTE_MS);
    expect(keysOf(releases)).toEqual([1, undefined, undefined]);
    await releases.passMs(HOUR_MS + 2 * MINUTE_MS);
    expect(keysOf(releases)).toEqual([1, undefined, "treatment"]);
    const happened = [
      "ramp: phase 1",
      "ramp: started",
      "ramp: step 2 of 3 (10 %)",
      "ramp: decision: ship treatment",
      "ramp: step 3 of 3 (100 %)",
      "ramp: completed: treatment gets all traffic",
    ];
    expect(await whatHappened(releases)).toEqual(happened);
    expect(releases.lines).toEqual(
      happened.map((line) => line.replace("ramp: ", "Experiment rf: ")),
    );
    const status = await statusOf(releases);
    expect(status.decided?.decision).toEqual(SHIP);
    expect(status).toMatchObject({ coverage: 1, winner: "treatment", problem: undefined });
  }, 30_000);

  it("rolls back when a guardrail got worse, at its next look, with the numbers kept", async () => {
    const releases = await startReleases();
    releases.analyses.experiment = ({ untilMs }) =>
      Promise.resolve(analysisAt(untilMs, { decision: REGRESSED }));
    await releases.passMs(MINUTE_MS);
    expect(await rampOf(releases)).toEqual({ kind: "rolled_back", why: "errors got worse" });
    expect(keysOf(releases)).toEqual([undefined, false, undefined]);
    const [last] = await releases.changes.history({ path: ACTIVE, limit: 1 });
    expect(last).toMatchObject({ by: "ramp", reason: "rf: rolled back", value: false });
    const status = await statusOf(releases);
    expect(status.decided?.decision).toEqual(REGRESSED);
    expect(await whatHappened(releases)).toEqual([
      "ramp: phase 1",
      "ramp: started",
      "ramp: decision: rollback",
      "ramp: rolled back",
    ]);
  });

  it("guards on when nobody says what is in force", async () => {
    const releases = await startReleases();
    await releases.passMs(2_000);
    releases.traffic.report = () => Promise.reject(new Error("no process answers"));
    releases.analyses.experiment = ({ untilMs }) =>
      Promise.resolve(analysisAt(untilMs, { decision: REGRESSED }));
    await releases.passMs(2 * MINUTE_MS);
    expect(keysOf(releases)).toEqual([undefined, false, undefined]);
  });

  it("does not start when the shadow it waits for is not there", async () => {
    const releases = await startReleases((traffic) => {
      traffic.experiments["iris"] = experimentOf({ ramp: { ...RAMP_PLAN, after: "rf-shadow" } });
    });
    expect(await rampOf(releases)).toEqual({
      kind: "pending",
      why: "shadow rf-shadow has not passed: it is not there",
    });
  });

  it("ships nothing that its one look did not find, with method fixed", async () => {
    const { analysis } = experimentOf();
    const steps = RAMP_PLAN.steps.slice(-1);
    const releases = await startReleases((traffic) => {
      traffic.experiments["iris"] = experimentOf({
        analysis: { ...analysis, method: "fixed" },
        ramp: { ...RAMP_PLAN, steps },
      });
    });
    const nothing = { kind: "inconclusive", reason: "too_long", why: "its one look" } as const;
    releases.analyses.experiment = ({ untilMs }) =>
      Promise.resolve(analysisAt(untilMs, { decision: nothing }));
    await releases.passMs(MINUTE_MS);
    const lookedAtMs = (await statusOf(releases)).decided?.computedAtMs;
    const again = await releases.restart();
    again.analyses.experiment = ({ untilMs }) =>
      Promise.resolve(analysisAt(untilMs, { decision: SHIP }));
    await again.passMs(HOUR_MS + 2 * MINUTE_MS);
    const status = await statusOf(again);
    expect(status.ramp?.state).toMatchObject({ waitsFor: ["numbers: its one look"] });
    expect(status.analysis?.decision).toEqual(nothing);
    expect(status.decided?.computedAtMs).toBe(lookedAtMs);
  }, 30_000);

  it("does not start while an arm is not ready, and starts within a second when it is", async () => {
    const releases = await startReleases((traffic) => {
      traffic.unready = { forest: "loading" };
    });
    expect(await rampOf(releases)).toEqual({
      kind: "pending",
      why: "arm treatment is not ready: loading",
    });
    expect(keysOf(releases)).toEqual([undefined, false, undefined]);
    releases.traffic.unready = {};
    await releases.passMs(1_000);
    expect(await rampOf(releases)).toMatchObject({ kind: "running", step: 0 });
    expect(keysOf(releases)).toEqual([0.02, undefined, undefined]);
  });

  it("takes evidence from before its first look, when nobody was exposed yet", async () => {
    const seen: number[] = [];
    const releases = await startReleases();
    const startedAtMs = releases.clock.wallMs() - 500;
    releases.analyses.experiment = (order) => {
      seen.push(order.sinceMs);
      return Promise.resolve(analysisAt(order.untilMs));
    };
    await releases.passMs(MINUTE_MS);
    expect(seen).toEqual([startedAtMs]);
    const at = releases.clock.wallMs();
    releases.traffic.experiments["iris"] = experimentOf({
      arms: [
        { name: "control", to: "svc", weight: 0.4 },
        { name: "treatment", to: "forest", weight: 0.6 },
      ],
    });
    await releases.passMs(MINUTE_MS);
    expect(seen[1]).toBeGreaterThanOrEqual(at - 1_000);
    expect(seen[1]).toBeLessThanOrEqual(at);
    expect(await statusOf(releases)).toMatchObject({ phase: 2 });
    expect(await whatHappened(releases)).toEqual([
      "ramp: phase 1",
      "ramp: started",
      "ramp: phase 2",
      "ramp: started",
    ]);
  });

  it("goes on where it was when control starts again, and skips no step after days away", async () => {
    const first = await startReleases();
    await first.passMs(HOUR_MS + 2 * MINUTE_MS);
    expect(keysOf(first)).toEqual([0.1, undefined, undefined]);
    await first.controller.close();
    first.clock.advanceMs(72 * HOUR_MS);
    const again = await first.restart();
    expect(await rampOf(again)).toMatchObject({ kind: "running", step: 2 });
    expect(keysOf(again)).toEqual([1, undefined, undefined]);
    await again.passMs(HOUR_MS / 2);
    expect(await rampOf(again)).toMatchObject({ kind: "running", step: 2 });
  });

  it("shows what is in force since the look that it made itself", async () => {
    const releases = await startReleases((traffic) => {
      traffic.unready = { forest: "loading" };
    });
    releases.traffic.unready = {};
    expect(await statusOf(releases)).toMatchObject({ coverage: 0.02, isActive: true });
  });

  it("brings the live keys to the state when the change was lost", async () => {
    const first = await startReleases();
    first.traffic.refusal = new MillraceError("DEADLINE_EXCEEDED", "it hangs");
    await first.passMs(HOUR_MS + 2 * MINUTE_MS);
    expect(await rampOf(first)).toMatchObject({ step: 1 });
    expect(keysOf(first)).toEqual([0.02, undefined, undefined]);
    expect((await statusOf(first)).problem).toContain("tried again: it hangs");
    expect(first.lines.filter((line) => line.includes("it hangs"))).toHaveLength(1);
    const again = await first.restart();
    again.traffic.refusal = undefined;
    await again.passMs(1_000);
    expect(keysOf(again)).toEqual([0.1, undefined, undefined]);
    expect((await statusOf(again)).problem).toBeUndefined();
  });

  it("goes on with other steps at the one that lets no more take part", async () => {
    const releases = await startReleases();
    await releases.passMs(HOUR_MS + 2 * MINUTE_MS);
    const steps = [0.05, 0.08, 0.5].map((coverage) => ({
      coverage,
      holdMs: HOUR_MS,
      unitsMin: 0,
      needsApproval: false,
    }));
    releases.traffic.experiments["iris"] = experimentOf({ ramp: { ...RAMP_PLAN, steps } });
    await releases.passMs(1_000);
    expect(keysOf(releases)).toEqual([0.08, undefined, undefined]);
    expect(await whatHappened(releases)).toContain("ramp: steps changed");
  });

  it("gives the live keys back when the experiment leaves the file", async () => {
    const releases = await startReleases();
    await releases.set("services.iris.timeout", "1s");
    await releases.passMs(1_000);
    releases.traffic.experiments = {};
    await releases.passMs(1_000);
    expect(releases.traffic.overrides.overrides.map(({ path }) => path)).toEqual([
      "services.iris.timeout",
    ]);
    expect(await releases.controller.experiments()).toEqual([]);
  });

  it("gives the live keys back when the file says that it is decided, or off", async () => {
    for (const facts of [{ winner: "treatment" }, { isActive: false }]) {
      const releases = await startReleases();
      releases.traffic.experiments["iris"] = experimentOf(facts);
      await releases.passMs(1_000);
      expect(keysOf(releases)).toEqual([undefined, undefined, undefined]);
    }
  });
});

describe("ReleaseController with hands on the keys", () => {
  it.each([
    [COVERAGE, 0.5],
    [ACTIVE, false],
    [WINNER, "treatment"],
  ])("pauses when %s is set by hand, and leaves it", async (path, value) => {
    const releases = await startReleases();
    await releases.set(path, value);
    await releases.passMs(MINUTE_MS);
    expect(releases.traffic.valueOf(path)).toBe(value);
    const why = `${path} was set to ${JSON.stringify(value)} by ann`;
    expect(await rampOf(releases)).toMatchObject({ kind: "paused", step: 0, why });
    expect(await whatHappened(releases)).toContain("ann: paused");
    expect((await statusOf(releases)).problem).toContain(why);
  });

  it("pauses when its override is taken away, and resume takes the keys again", async () => {
    const releases = await startReleases();
    await releases.unset(COVERAGE);
    await releases.passMs(MINUTE_MS);
    expect(keysOf(releases)).toEqual([undefined, undefined, undefined]);
    expect(await rampOf(releases)).toMatchObject({
      kind: "paused",
      why: `${COVERAGE} was unset by ann`,
    });
    await releases.controller.command("rf", "resume", ANN);
    expect(keysOf(releases)).toEqual([0.02, undefined, undefined]);
    expect(await statusOf(releases)).toMatchObject({ problem: undefined, coverage: 0.02 });
  });

  it("knows after a restart that the key was set by hand meanwhile", async () => {
    const first = await startReleases();
    await first.controller.close();
    await first.set(COVERAGE, 0.7);
    const again = await first.restart();
    expect(await rampOf(again)).toMatchObject({ kind: "paused" });
    expect(again.traffic.valueOf(COVERAGE)).toBe(0.7);
  });

  it("takes the keys, whoever has them, when a guardrail got worse", async () => {
    const releases = await startReleases();
    await releases.set(COVERAGE, 0.5);
    await releases.passMs(1_000);
    releases.analyses.experiment = ({ untilMs }) =>
      Promise.resolve(analysisAt(untilMs, { decision: REGRESSED }));
    await releases.passMs(MINUTE_MS);
    expect(keysOf(releases)).toEqual([undefined, false, undefined]);
    await releases.set(ACTIVE, true); // somebody insists
    await releases.passMs(2 * MINUTE_MS);
    expect(releases.traffic.valueOf(ACTIVE)).toBe(true);
    expect((await statusOf(releases)).problem).toContain("set to true by ann");
    expect(await rampOf(releases)).toMatchObject({ kind: "rolled_back" });
  });

  it("minds no other live key", async () => {
    const releases = await startReleases();
    await releases.set("services.iris.timeout", "1s");
    await releases.passMs(MINUTE_MS);
    expect(await rampOf(releases)).toMatchObject({ kind: "running" });
  });
});

describe("ReleaseController with commands", () => {
  it("pauses, resumes and aborts, says who and why, and the keys follow at once", async () => {
    const releases = await startReleases();
    const { controller } = releases;
    expect((await controller.command("rf", "pause", ANN)).ramp?.state).toMatchObject({
      kind: "paused",
      why: "pause by ann: because",
    });
    await releases.passMs(2 * HOUR_MS);
    expect(keysOf(releases)).toEqual([0.02, undefined, undefined]);
    await controller.command("rf", "resume", { by: "bob", reason: "" });
    const aborted = await controller.command("rf", "abort", ANN);
    expect(aborted).toMatchObject({ coverage: 0, isActive: false, problem: undefined });
    expect((await whatHappened(releases)).slice(2)).toEqual([
      "ann: paused",
      "bob: resumed",
      "ann: rolled back",
    ]);
  });

  it("starts by hand where the file asks for that, and asks for approval", async () => {
    const steps = [{ coverage: 0.1, holdMs: 0, unitsMin: 0, needsApproval: true }];
    const releases = await startReleases((traffic) => {
      const last = { coverage: 1, holdMs: 0, unitsMin: 0, needsApproval: false };
      const ramp = { ...RAMP_PLAN, start: "manual" as const, steps: [...steps, last] };
      traffic.experiments["iris"] = experimentOf({ ramp });
    });
    expect(await rampOf(releases)).toEqual({ kind: "ready" });
    await releases.controller.command("rf", "start", ANN);
    await releases.passMs(3 * MINUTE_MS);
    expect(await rampOf(releases)).toMatchObject({ step: 0, waitsFor: ["approval"] });
    await releases.controller.command("rf", "approve", ANN);
    await releases.passMs(MINUTE_MS);
    expect(await rampOf(releases)).toMatchObject({ step: 1 });
  });

  it("begins anew with retry, with evidence from then", async () => {
    const releases = await startReleases();
    await releases.passMs(10 * MINUTE_MS);
    await releases.controller.command("rf", "abort", ANN);
    const atMs = releases.clock.wallMs();
    const seen: number[] = [];
    releases.analyses.experiment = (order) => {
      seen.push(order.sinceMs);
      return Promise.resolve(analysisAt(order.untilMs));
    };
    const status = await releases.controller.command("rf", "retry", ANN);
    expect(status).toMatchObject({ analysis: undefined, ramp: { state: { kind: "running" } } });
    await releases.passMs(MINUTE_MS);
    expect(seen).toEqual([atMs]);
  });

  it("refuses what is not possible, and what it does not know", async () => {
    const { controller } = await startReleases();
    await expect(controller.command("rf", "retry", ANN)).rejects.toMatchObject({
      code: "INVALID_TRANSITION",
    });
    await expect(controller.command("rg", "abort", ANN)).rejects.toThrow(
      'Cannot find experiment "rg": there is rf',
    );
    await expect(controller.shadow("rg")).rejects.toThrow('Cannot find shadow "rg": there is none');
  });

  it("drops numbers of evidence that a command has ended meanwhile", async () => {
    const releases = await startReleases();
    let answer = (): void => undefined;
    releases.analyses.experiment = ({ untilMs }) =>
      new Promise((resolve) => {
        answer = () => resolve(analysisAt(untilMs, { decision: REGRESSED }));
      });
    await releases.passMs(MINUTE_MS);
    await releases.controller.command("rf", "abort", ANN);
    await releases.passMs(1_000);
    await releases.controller.command("rf", "retry", ANN);
    answer();
    await releases.passMs(1_000);
    expect(await rampOf(releases)).toMatchObject({ kind: "running", step: 0 });
    expect((await statusOf(releases)).analysis).toBeUndefined();
  });
});

describe("ReleaseController with analyses that fail", () => {
  it("warns of no log only when there was one", async () => {
    const good: TestReleases["analyses"]["experiment"] = ({ untilMs }) =>
      Promise.resolve(analysisAt(untilMs));
    const away = new MillraceError("LOG_UNAVAILABLE", "Cannot query the log: there is none");
    const fail = () => Promise.reject(away);
    const releases = await startReleases(undefined, {
      analyses: { experiment: fail, shadow: fail },
    });
    await releases.passMs(MINUTE_MS);
    expect((await statusOf(releases)).problem).toContain("there is none");
    expect(releases.lines.filter((line) => line.includes("there is none"))).toEqual([]);
    releases.analyses.experiment = good;
    await releases.passMs(MINUTE_MS);
    releases.analyses.experiment = fail;
    await releases.passMs(2 * MINUTE_MS);
    expect(releases.lines.filter((line) => line.includes("there is none"))).toHaveLength(1);
  });

  it("holds the ramp, says why once, and goes on when they work again", async () => {
    const releases = await startReleases();
    const good = releases.analyses.experiment;
    releases.analyses.experiment = () => Promise.reject(new Error("the log is away"));
    await releases.passMs(3 * HOUR_MS);
    expect(await rampOf(releases)).toMatchObject({ step: 0 });
    expect((await statusOf(releases)).problem).toBe("no newer numbers: the log is away");
    expect(releases.lines.filter((line) => line.includes("away"))).toHaveLength(1);
    releases.analyses.experiment = good;
    await releases.passMs(2 * MINUTE_MS);
    expect(await rampOf(releases)).toMatchObject({ step: 1 });
    expect((await statusOf(releases)).problem).toBeUndefined();
  }, 30_000);

  it("lets a hanging one stop no other experiment, and no command", async () => {
    const releases = await startReleases((traffic) => {
      traffic.experiments = {
        iris: experimentOf(),
        rose: experimentOf({ name: "rose" }),
        tulip: experimentOf({ name: "tulip" }),
      };
    });
    const signals: AbortSignal[] = [];
    releases.analyses.experiment = ({ service, untilMs }, signal) => {
      if (service === "tulip") {
        return Promise.resolve(analysisAt(untilMs, { decision: REGRESSED }));
      }
      signals.push(signal);
      return new Promise(() => undefined);
    };
    await releases.passMs(MINUTE_MS);
    await releases.controller.command("rf", "abort", ANN);
    expect(await rampOf(releases)).toMatchObject({ kind: "rolled_back" });
    await releases.passMs(3 * MINUTE_MS);
    expect(signals[0]?.aborted).toBe(true);
    expect((await statusOf(releases, "tulip")).ramp?.state.kind).toBe("rolled_back");
    expect((await statusOf(releases, "rose")).ramp?.state.kind).toBe("running");
  });

  it("rolls back after the grace where the file asks for that", async () => {
    const releases = await startReleases((traffic) => {
      const ramp = { ...RAMP_PLAN, noData: "fail" as const, graceMs: HOUR_MS / 2 };
      traffic.experiments["iris"] = experimentOf({ ramp });
    });
    releases.analyses.experiment = ({ untilMs }) =>
      Promise.resolve(analysisAt(untilMs, { lastPredictionMs: undefined, arms: [] }));
    await releases.passMs(HOUR_MS / 2 - MINUTE_MS);
    expect(await rampOf(releases)).toMatchObject({ kind: "running" });
    await releases.passMs(2 * MINUTE_MS);
    expect(await rampOf(releases)).toMatchObject({ kind: "rolled_back" });
    expect(await whatHappened(releases)).toContain("ramp: no data");
  });
});

describe("ReleaseController without a ramp in the file", () => {
  it("leaves coverage and winner alone, and rolls back all the same", async () => {
    const releases = await startReleases((traffic) => {
      traffic.experiments["iris"] = experimentOf({ ramp: undefined, coverage: 0.3 });
    });
    await releases.set(COVERAGE, 0.4);
    releases.analyses.experiment = ({ untilMs }) =>
      Promise.resolve(analysisAt(untilMs, { decision: SHIP }));
    await releases.passMs(2 * MINUTE_MS);
    expect(keysOf(releases)).toEqual([0.4, undefined, undefined]);
    expect(await statusOf(releases)).toMatchObject({ ramp: undefined, problem: undefined });
    releases.analyses.experiment = ({ untilMs }) =>
      Promise.resolve(analysisAt(untilMs, { decision: REGRESSED }));
    await releases.passMs(2 * MINUTE_MS);
    expect(keysOf(releases)).toEqual([0.4, false, undefined]);
    await releases.controller.command("rf", "retry", ANN);
    await releases.passMs(1_000);
    expect(keysOf(releases)).toEqual([0.4, undefined, undefined]);
  });
});

it("ReleaseController keeps nothing running after close()", async () => {
  const { controller, clock } = await startReleases();
  await controller.close();
  expect(clock.timerCount).toBe(0);
});
