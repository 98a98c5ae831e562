import { describe, expect, it } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import type { ShadowStatus } from "../../core/release/release-report.ts";
import type { ShadowVerdict } from "../../core/shadow/shadow-report.ts";
import {
  ANN,
  COVERAGE,
  EXCLUDED,
  experimentOf,
  RAMP_PLAN,
  shadowAnalysisAt,
  shadowOf,
  startReleases,
  type TestReleases,
  type TestTraffic,
} from "./test-releases.ts";

const PASS: ShadowVerdict = { kind: "pass", why: "999 of 1000 agree" };
const EXCLUDE: ShadowVerdict = { kind: "exclude", why: "only 90 % agree" };

function withShadow(facts: Parameters<typeof shadowOf>[0] = {}) {
  return (traffic: TestTraffic): void => {
    traffic.experiments = {};
    traffic.shadowsByService = { iris: [shadowOf(facts)] };
  };
}

function say(releases: TestReleases, verdict: ShadowVerdict): number[] {
  const sinceMs: number[] = [];
  releases.analyses.shadow = (order) => {
    sinceMs.push(order.sinceMs);
    return Promise.resolve(shadowAnalysisAt(order.untilMs, verdict));
  };
  return sinceMs;
}

function statusOf({ controller }: TestReleases): Promise<ShadowStatus> {
  return controller.shadow("rf-shadow");
}

async function whatHappened(releases: TestReleases): Promise<string[]> {
  const { events } = await statusOf(releases);
  return events.map(({ by, what, why }) => `${by}: ${what} (${why})`).toReversed();
}

describe("ShadowRelease", () => {
  it("tells of a verdict when it changes, and shows the numbers and what was left out", async () => {
    const releases = await startReleases(withShadow());
    expect((await statusOf(releases)).analysis?.verdict.kind).toBe("hold");
    say(releases, PASS);
    await releases.passMs(30_000);
    expect(await whatHappened(releases)).toEqual([
      "verdict: evidence begins (it begins)",
      "verdict: verdict: pass (999 of 1000 agree)",
    ]);
    expect(await statusOf(releases)).toMatchObject({
      service: "iris",
      compare: "label",
      skipped: { queue: 7 },
      isExcluded: false,
      required: { agreementMin: 0.99, pairsMin: 1000 },
      problem: undefined,
    });
    expect(await releases.controller.shadows()).toHaveLength(1);
  });

  it("stops the copies when its verdict is to exclude it, with the reason, and looks no more", async () => {
    const releases = await startReleases(withShadow());
    const looks = say(releases, EXCLUDE);
    await releases.passMs(60_000);
    expect(releases.traffic.valueOf(EXCLUDED)).toBe(true);
    const [change] = await releases.changes.history({ path: EXCLUDED, limit: 1 });
    expect(change).toMatchObject({ by: "verdict", reason: "only 90 % agree" });
    expect(looks).toHaveLength(1);
    expect((await whatHappened(releases)).slice(1)).toEqual([
      "verdict: verdict: exclude (only 90 % agree)",
      "verdict: excluded (only 90 % agree)",
    ]);
    expect(await statusOf(releases)).toMatchObject({ isExcluded: true });
  });

  it("stops nothing where the file says so", async () => {
    const verdict = { ...shadowOf().verdict, excludes: false };
    const releases = await startReleases(withShadow({ verdict }));
    say(releases, EXCLUDE);
    await releases.passMs(30_000);
    expect(releases.traffic.valueOf(EXCLUDED)).toBeUndefined();
    expect((await statusOf(releases)).analysis?.verdict).toEqual(EXCLUDE);
  });

  it("excludes after a restart when the change was lost, and only then", async () => {
    const first = await startReleases(withShadow());
    say(first, EXCLUDE);
    first.traffic.refusal = new MillraceError("DEADLINE_EXCEEDED", "it hangs");
    await first.passMs(15_000);
    expect(first.traffic.valueOf(EXCLUDED)).toBeUndefined();
    expect((await statusOf(first)).problem).toContain("it hangs");
    const again = await first.restart();
    again.traffic.refusal = undefined;
    await again.passMs(1_000);
    expect(again.traffic.valueOf(EXCLUDED)).toBe(true);
    expect((await statusOf(again)).problem).toBeUndefined();
    expect(again.traffic.made).toHaveLength(1);
  });

  it.each(["include", "unset"] as const)(
    "begins anew with evidence from then when somebody says %s",
    async (how) => {
      const releases = await startReleases(withShadow());
      say(releases, EXCLUDE);
      await releases.passMs(15_000);
      const atMs = releases.clock.wallMs();
      const looks = say(releases, PASS);
      if (how === "unset") await releases.unset(EXCLUDED);
      else await releases.controller.include("rf-shadow", ANN);
      expect((await statusOf(releases)).analysis).toBeUndefined();
      await releases.passMs(20_000);
      expect(looks[0]).toBe(atMs);
      expect(releases.traffic.valueOf(EXCLUDED)).toBeUndefined();
      expect(await whatHappened(releases)).toContain("ann: included (because)");
    },
  );

  it("is excluded and included by hand, and refuses what is so already", async () => {
    const releases = await startReleases(withShadow());
    const { controller } = releases;
    const refusal = { code: "INVALID_TRANSITION" };
    await expect(controller.include("rf-shadow", ANN)).rejects.toMatchObject(refusal);
    expect(await controller.exclude("rf-shadow", ANN)).toMatchObject({ isExcluded: true });
    expect(releases.traffic.valueOf(EXCLUDED)).toBe(true);
    await expect(controller.exclude("rf-shadow", ANN)).rejects.toMatchObject(refusal);
    await releases.passMs(5_000);
    expect(await controller.include("rf-shadow", ANN)).toMatchObject({ isExcluded: false });
    await releases.passMs(5_000);
    expect((await whatHappened(releases)).slice(1)).toEqual([
      "ann: excluded (because)",
      "ann: included (because)",
    ]);
  });

  it("includes one that the file excludes", async () => {
    const releases = await startReleases(withShadow({ isExcluded: true }));
    expect(await whatHappened(releases)).toContain("file: excluded ()");
    expect(await releases.controller.include("rf-shadow", ANN)).toMatchObject({
      isExcluded: false,
    });
    expect(releases.traffic.valueOf(EXCLUDED)).toBe(false);
    await releases.passMs(5_000);
    expect(releases.traffic.valueOf(EXCLUDED)).toBe(false);
  });

  it("tells of an exclusion by a live change as it tells of its own", async () => {
    const releases = await startReleases(withShadow());
    await releases.set(EXCLUDED, true);
    await releases.passMs(1_000);
    expect(await whatHappened(releases)).toContain("ann: excluded (because)");
  });

  it("begins anew when it runs something else", async () => {
    const releases = await startReleases(withShadow());
    const looks = say(releases, PASS);
    await releases.passMs(15_000);
    releases.traffic.shadowsByService = { iris: [shadowOf({ to: "svc" })] };
    await releases.passMs(20_000);
    expect(new Set(looks).size).toBe(2);
    expect(await whatHappened(releases)).toContainEqual(
      expect.stringContaining("evidence begins (what it runs"),
    );
  });

  it("keeps the last numbers when there are no newer ones, and says why", async () => {
    const releases = await startReleases(withShadow());
    say(releases, PASS);
    await releases.passMs(15_000);
    releases.analyses.shadow = () => Promise.reject(new Error("the log is away"));
    await releases.passMs(15_000);
    expect(await statusOf(releases)).toMatchObject({
      problem: "no newer numbers: the log is away",
      analysis: { verdict: PASS },
    });
  });
});

it("a ramp waits for the shadow that has to pass before it, and not for it afterwards", async () => {
  const releases = await startReleases((traffic) => {
    traffic.experiments = {
      iris: experimentOf({ ramp: { ...RAMP_PLAN, after: "rf-shadow" } }),
    };
    traffic.shadowsByService = { iris: [shadowOf()] };
  });
  const stateOf = async () => (await releases.controller.experiment("rf")).ramp?.state;
  await releases.passMs(12_000);
  expect(await stateOf()).toEqual({
    kind: "pending",
    why: "shadow rf-shadow has not passed: too few pairs",
  });
  say(releases, PASS);
  await releases.passMs(12_000);
  expect(await stateOf()).toMatchObject({ kind: "running" });
  expect(releases.traffic.valueOf(COVERAGE)).toBe(0.02);
  say(releases, { kind: "hold", why: "hm" });
  await releases.passMs(12_000);
  expect(await stateOf()).toMatchObject({ kind: "running" });
});
