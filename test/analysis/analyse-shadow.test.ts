import { describe, expect, it } from "vitest";
import { wilsonInterval } from "../../packages/millrace/src/core/stats/wilson-interval.ts";
import { at, HOUR_MS, idAt, ReleaseLog, shadowOf, SINCE_MS } from "./release-log.ts";

/** SQL of columns of pairs `i`: 1 ms each, the shadow as fast, and agreeing. */
const PAIR: Readonly<Record<string, string>> = {
  ts: `make_timestamp(${at(0)} + i * 1000000)`,
  prediction_id: "'p' || i",
  shadow: "'sh'",
  role: "'shadow'",
  is_agreed: "true",
  primary_code: "'ok'",
  primary_us: "1000 + i % 100",
  primary_infer_us: "600",
  infer_us: "600",
  total_us: "50000",
};

function pairs(log: ReleaseLog, count: number, columns: Readonly<Record<string, string>> = {}) {
  return log.addSql("predictions", { ...PAIR, ...columns }, `range(${count}) t(i)`);
}

describe("analyseShadow()", () => {
  it("holds where there is no pair", async () => {
    await using log = new ReleaseLog();
    await pairs(log, 10, { shadow: "'another'" });
    const analysis = await log.shadow();
    expect(analysis).toMatchObject({ pairs: 0, agreement: undefined, model: undefined });
    expect(analysis.verdict.kind).toBe("hold");
  });

  it("passes what agrees, fails no more often and is as fast, with the numbers of all pairs", async () => {
    await using log = new ReleaseLog();
    await pairs(log, 2000, {
      is_agreed: "i >= 4",
      difference: "CASE WHEN i < 4 THEN 'a, not b' END",
    });
    const analysis = await log.shadow();
    expect(analysis.verdict).toMatchObject({ kind: "pass" });
    expect(analysis).toMatchObject({
      model: "m@1",
      digest: "d1",
      pairs: 2000,
      compared: 2000,
      agreed: 1996,
      errors: { primary: 0, shadow: 0 },
      agreement: { value: 0.998, ...wilsonInterval(1996, 2000) },
      latencyRatio: 1,
      latencyDifferenceMs: { value: 0, low: 0, high: 0 },
      differences: [{ detail: "a, not b", count: 4 }],
      window: { fromMs: SINCE_MS },
    });
    expect(analysis.latencyMs?.primary.p99).toBeCloseTo(1.098, 1);
  });

  it("counts a request of several rows once, and only the version there is now", async () => {
    await using log = new ReleaseLog();
    await pairs(log, 30, { row_index: "i % 3", row_count: "3" });
    await pairs(log, 30, {
      version: "'2'",
      ts: `make_timestamp(${at(1000)} + i)`,
      is_agreed: "false",
    });
    await pairs(log, 30, {
      role: "'primary'",
      version: "'9'",
      ts: `make_timestamp(${at(2000)} + i)`,
    });
    expect(await log.shadow()).toMatchObject({ model: "m@2", pairs: 30, agreed: 0 });
    expect(await log.shadow({}, SINCE_MS + 500_000)).toMatchObject({ model: "m@1", pairs: 10 });
  });

  it("weighs a sample: one of a hundred agreements, and every disagreement", async () => {
    await using log = new ReleaseLog();
    await pairs(log, 900, { sampled_weight: "100" });
    await pairs(log, 10_000, {
      is_agreed: "false",
      sampled_weight: "1",
      ts: `make_timestamp(${at(5000)} + i)`,
    });
    const analysis = await log.shadow();
    expect(analysis).toMatchObject({ pairs: 100_000, agreed: 90_000 });
    expect(analysis.agreement?.value).toBeCloseTo(0.9, 12);
    const effective = 100_000 ** 2 / (900 * 100 ** 2 + 10_000);
    const { low, high } = wilsonInterval(0.9 * effective, effective);
    expect(analysis.agreement?.low).toBeCloseTo(low, 12);
    expect(analysis.agreement?.high).toBeCloseTo(high, 12);
    expect(analysis.verdict).toMatchObject({ kind: "exclude" });
  });

  it("excludes one that always fails after twenty pairs, and says why", async () => {
    await using log = new ReleaseLog();
    const failed = { status: "'error'", is_agreed: "NULL::BOOLEAN", error: "'expected 5 columns'" };
    await pairs(log, 19, failed);
    expect((await log.shadow()).verdict.kind).toBe("hold");
    await pairs(log, 1, { ...failed, ts: `make_timestamp(${at(100)})` });
    const analysis = await log.shadow();
    expect(analysis.verdict.kind).toBe("exclude");
    expect(analysis.verdict.why).toContain("expected 5 columns");
    expect(analysis).toMatchObject({
      compared: 0,
      errors: { primary: 0, shadow: 20 },
      differences: [],
    });
  });

  it("does not blame the shadow where the answer fails as often", async () => {
    await using log = new ReleaseLog();
    await pairs(log, 2000, {
      status: "CASE WHEN i % 10 = 0 THEN 'error' ELSE 'ok' END",
      primary_code: "CASE WHEN i % 10 = 5 THEN 'MODEL_FAILED' ELSE 'ok' END",
      is_agreed: "CASE WHEN i % 5 <> 0 THEN true END",
    });
    const analysis = await log.shadow();
    expect(analysis).toMatchObject({ compared: 1600, errors: { primary: 200, shadow: 200 } });
    expect(analysis.errorDifference?.value).toBe(0);
    expect(analysis.verdict.kind).toBe("hold");
  });

  it("compares what the answer would have taken with the shadow's model", async () => {
    await using log = new ReleaseLog();
    await pairs(log, 5000, { infer_us: "900" });
    const analysis = await log.shadow();
    expect(analysis.latencyDifferenceMs?.value).toBeCloseTo(0.3, 12);
    expect(analysis.latencyRatio).toBeCloseTo(1399 / 1099, 1);
    expect(analysis.verdict).toMatchObject({ kind: "exclude" });
    expect(analysis.verdict.why).toContain("p99");
  });

  it("holds while it is young", async () => {
    await using log = new ReleaseLog();
    await pairs(log, 2000);
    const verdict = { ...shadowOf({}).verdict, lengthMinMs: HOUR_MS };
    const early = await log.shadow({ verdict }, SINCE_MS + HOUR_MS - 1);
    expect(early.verdict).toEqual({ kind: "hold", why: "waits for time: 60m of 1h" });
    expect((await log.shadow({ verdict }, SINCE_MS + HOUR_MS)).verdict.kind).toBe("pass");
  });

  it("takes what it took itself where nobody knows more", async () => {
    await using log = new ReleaseLog();
    await log.add("predictions", [
      {
        ts: at(1),
        prediction_id: idAt(1),
        role: "shadow",
        shadow: "sh",
        is_agreed: true,
        primary_code: "ok",
        primary_us: 5,
      },
    ]);
    expect(await log.shadow()).toMatchObject({
      pairs: 1,
      compared: 1,
      latencyDifferenceMs: undefined,
    });
  });
});
