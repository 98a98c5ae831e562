import { describe, expect, test } from "vitest";
import { TestRandom } from "../../test-random.ts";
import type { RateProfilePlan } from "../rate-profile.ts";
import { createRateCurve } from "./create-rate-curve.ts";

const DURATION_MS = 20_000;

const PROFILES: Readonly<Record<string, RateProfilePlan>> = {
  constant: { kind: "constant", rate: 500 },
  "slow constant": { kind: "constant", rate: 1 / 90 },
  "ramp up": { kind: "ramp", from: 100, to: 1000 },
  "ramp down to 0": { kind: "ramp", from: 1000, to: 0 },
  "ramp from 0": { kind: "ramp", from: 0, to: 1000 },
  "ramp that is flat": { kind: "ramp", from: 300, to: 300 },
  step: {
    kind: "step",
    steps: [
      { fromMs: 0, rate: 100 },
      { fromMs: 5000, rate: 0 },
      { fromMs: 7000, rate: 400 },
    ],
  },
  sine: { kind: "sine", mean: 500, amplitude: 300, periodMs: 3000 },
  "sine that touches 0": { kind: "sine", mean: 300, amplitude: 300, periodMs: 1000 },
  "sine of an hour": { kind: "sine", mean: 300, amplitude: 300, periodMs: 3_600_000 },
  "flat sine": { kind: "sine", mean: 300, amplitude: 0, periodMs: 1000 },
  spike: { kind: "spike", base: 100, peak: 2000, atMs: 8000, forMs: 500 },
};

describe.each(Object.entries(PROFILES))("%s", (_name, profile) => {
  const curve = createRateCurve(profile, DURATION_MS);

  test("startsUntil() is the integral of rateAt()", () => {
    const stepMs = 0.5;
    let sum = 0;
    for (let atMs = 0; atMs < DURATION_MS; atMs += stepMs) {
      sum += (curve.rateAt(atMs + stepMs / 2) * stepMs) / 1000;
    }
    expect(sum).toBeCloseTo(curve.startsUntil(DURATION_MS), 2);
  });

  test("timeOf() is the inverse of startsUntil(), and never falls", () => {
    const random = new TestRandom(8);
    const most = curve.startsUntil(DURATION_MS);
    let starts = 0;
    let lastMs = 0;
    let offMax = 0;
    let fallMax = 0;
    for (let i = 0; i < 5000 && starts < most; i++) {
      const atMs = curve.timeOf(starts);
      offMax = Math.max(offMax, Math.abs(curve.startsUntil(atMs) - starts));
      fallMax = Math.max(fallMax, lastMs - atMs);
      lastMs = atMs;
      starts += (random.next() * most) / 2000;
    }
    expect(offMax).toBeLessThan(1e-6);
    expect(fallMax).toBeLessThan(1e-6);
  });
});

test("StepCurve has the next start at the end of a time without any", () => {
  const curve = createRateCurve(PROFILES["step"] as RateProfilePlan, DURATION_MS);
  expect(curve.timeOf(499)).toBe(4990);
  expect(curve.timeOf(500)).toBe(7000);
  expect(curve.timeOf(501)).toBe(7002.5);
});

test("RateCurve.timeOf() is Infinity where the rate stays 0", () => {
  const stopped = [
    { fromMs: 0, rate: 10 },
    { fromMs: 1000, rate: 0 },
  ];
  expect(createRateCurve({ kind: "step", steps: stopped }, 5000).timeOf(10)).toBe(Infinity);
  expect(createRateCurve({ kind: "constant", rate: 0 }, 5000).timeOf(0)).toBe(Infinity);
  expect(createRateCurve({ kind: "ramp", from: 10, to: 0 }, 1000).timeOf(6)).toBe(Infinity);
  const sine = { kind: "sine", mean: 0, amplitude: 0, periodMs: 1000 } as const;
  expect(createRateCurve(sine, 5000).timeOf(1)).toBe(Infinity);
});

/** Rates as vegeta's pacers for them have: mean + amplitude · sin(2π t / period), and start + slope · t. */
test("RateCurve.rateAt() goes as the forms of the profiles say", () => {
  const sine = createRateCurve({ kind: "sine", mean: 100, amplitude: 90, periodMs: 60_000 }, 1);
  expect([0, 15_000, 30_000, 45_000].map((atMs) => Math.round(sine.rateAt(atMs)))).toEqual([
    100, 190, 100, 10,
  ]);
  const ramp = createRateCurve({ kind: "ramp", from: 10, to: 110 }, 10_000);
  expect([0, 1000, 10_000].map((atMs) => ramp.rateAt(atMs))).toEqual([10, 20, 110]);
  const spike = createRateCurve(PROFILES["spike"] as RateProfilePlan, DURATION_MS);
  expect([0, 7999, 8000, 8499, 8500].map((atMs) => spike.rateAt(atMs))).toEqual([
    100, 100, 2000, 2000, 100,
  ]);
});
