import { describe, expect, it } from "vitest";
import { verdict, type VerdictData, type VerdictRules } from "./verdict.ts";

const RULES: VerdictRules = {
  agreementMin: 0.99,
  errorDifferenceMax: 0.005,
  latencyRatioMax: 1.2,
  pairsMin: 1000,
  lengthMinMs: 600_000,
};

/** All is well. */
function dataOf(data: Partial<VerdictData> = {}): VerdictData {
  return {
    window: { fromMs: 0, untilMs: 600_000 },
    pairs: 2000,
    compared: 2000,
    effectivePairs: 2000,
    agreement: { value: 0.998, low: 0.995, high: 0.999 },
    agreementHigh: 0.9995,
    errors: { primary: 0, shadow: 1 },
    errorDifference: { value: 0.0005, low: -0.002, high: 0.003 },
    latencyRatio: 1.1,
    latencyRatioLow: 0.9,
    usualError: undefined,
    ...data,
  };
}

describe("verdict()", () => {
  it("passes what surely agrees, does not fail more and is not slower", () => {
    expect(verdict(dataOf(), RULES)).toEqual({
      kind: "pass",
      why: "99.8 % of 2000 agree (99.5 % to 99.9 %); of 2000 pairs it failed in 1, the answer in 0: 0.05 % more (−0.2 % to 0.3 %); its p99 of latency is 1.1 times that of the answer",
    });
  });

  it("holds without data, and never passes on none", () => {
    const nothing = dataOf({
      window: { fromMs: undefined, untilMs: 9e9 },
      pairs: 0,
      compared: 0,
      effectivePairs: 0,
      agreement: undefined,
      agreementHigh: undefined,
      errorDifference: undefined,
      latencyRatio: undefined,
      latencyRatioLow: undefined,
    });
    expect(verdict(nothing, RULES)).toEqual({
      kind: "hold",
      why: "waits for pairs: 0 of 1000; time: 0ms of 10m; a pair in which both answered",
    });
    const uncompared = dataOf({ compared: 0, agreement: undefined });
    expect(verdict(uncompared, RULES).kind).toBe("hold");
  });

  it.each<[string, Partial<VerdictData>]>([
    ["pairs", { effectivePairs: 999.9 }],
    ["time", { window: { fromMs: 1, untilMs: 600_000 } }],
    ["agreement", { agreement: { value: 0.995, low: 0.989, high: 0.999 } }],
    [
      "disagreement that one look of many may show by chance",
      { agreement: { value: 0.985, low: 0.979, high: 0.9895 }, agreementHigh: 0.9905 },
    ],
    ["errors", { errorDifference: { value: 0.001, low: -0.004, high: 0.0051 } }],
    ["latency", { latencyRatio: 1.21, latencyRatioLow: 1.19 }],
    ["latency that nobody knows", { latencyRatio: undefined, latencyRatioLow: undefined }],
  ])("holds where it is not sure of %s, and says so", (_, data) => {
    expect(verdict(dataOf(data), RULES)).toMatchObject({
      kind: "hold",
      why: expect.stringMatching(/^waits for /),
    });
  });

  it.each<[string, Partial<VerdictData>]>([
    ["disagrees", { agreement: { value: 0.97, low: 0.96, high: 0.98 }, agreementHigh: 0.9899 }],
    ["fails", { errorDifference: { value: 0.05, low: 0.0051, high: 0.1 } }],
    ["is slow", { latencyRatio: 1.5, latencyRatioLow: 1.21 }],
  ])("excludes what surely %s too much", (_, data) => {
    expect(verdict(dataOf(data), RULES).kind).toBe("exclude");
  });

  it("excludes early for errors only, from twenty pairs on, and names the usual one", () => {
    const early = { pairs: 20, effectivePairs: 20, compared: 0, usualError: "expected 5 columns" };
    const failing = { errorDifference: { value: 1, low: 0.8, high: 1.2 }, agreement: undefined };
    const window = { fromMs: 0, untilMs: 1000 };
    const found = verdict(dataOf({ ...early, ...failing, window }), RULES);
    expect(found).toMatchObject({
      kind: "exclude",
      why: expect.stringContaining("most often with: expected 5 columns"),
    });
    expect(verdict(dataOf({ ...early, ...failing, effectivePairs: 19 }), RULES)).toMatchObject({
      kind: "hold",
      why: expect.stringContaining("most often with: expected 5 columns"),
    });
    const agreement = { value: 0, low: 0, high: 0.1 };
    const disagreeing = { agreement, agreementHigh: 0.1, effectivePairs: 900 };
    expect(verdict(dataOf(disagreeing), RULES).kind).toBe("hold");
  });

  it("does not exclude for latency below a thousand pairs, though fewer may pass", () => {
    const rules = { ...RULES, pairsMin: 100 };
    const few = { pairs: 500, effectivePairs: 500, compared: 500 };
    expect(verdict(dataOf(few), rules).kind).toBe("pass");
    const slow = { ...few, latencyRatio: 3, latencyRatioLow: 2 };
    expect(verdict(dataOf(slow), rules).kind).toBe("hold");
    expect(verdict(dataOf({ ...slow, compared: 1000 }), rules).kind).toBe("exclude");
  });
});
