import { describe, expect, test } from "vitest";
import type { DueTimes } from "./arrivals.ts";
import type { DueTimesPlan, DueTimesShare } from "./due-times-plan.ts";
import { createDueTimes } from "./due-times.ts";
import { createRateCurve } from "./profiles/create-rate-curve.ts";
import type { RateProfilePlan } from "./rate-profile.ts";

const WHOLE: DueTimesShare = {
  worker: 0,
  workers: 1,
  warmupMs: 0,
  durationMs: 10_000,
  seed: 1,
};

const PROFILES: readonly RateProfilePlan[] = [
  { kind: "constant", rate: 300 },
  { kind: "ramp", from: 0, to: 700 },
  { kind: "ramp", from: 500, to: 100 },
  {
    kind: "step",
    steps: [
      { fromMs: 0, rate: 200 },
      { fromMs: 3000, rate: 0 },
      { fromMs: 4000, rate: 450.5 },
    ],
  },
  { kind: "sine", mean: 300, amplitude: 300, periodMs: 1700 },
  { kind: "spike", base: 30, peak: 2000, atMs: 4000, forMs: 1000 },
];

const CASES = PROFILES.flatMap((profile) =>
  (["constant", "poisson"] as const).map((spacing) => ({
    name: `${profile.kind}, ${spacing}`,
    arrivals: { kind: "open", profile, spacing } as const,
  })),
);

describe.each(CASES)("createDueTimes() of $name", ({ arrivals }) => {
  test("never falls, and counts up from 0", () => {
    const found = take(createDueTimes({ ...WHOLE, warmupMs: 1500, arrivals }));
    expect(found.length).toBeGreaterThan(1000);
    expect(found.every(({ seq }, index) => seq === index)).toBe(true);
    expect(found.every(({ dueMs }, index) => dueMs >= (found[index - 1]?.dueMs ?? -1500))).toBe(
      true,
    );
    expect(found.at(-1)?.dueMs).toBeLessThan(10_000);
  });

  test.each([2, 3, 8])("gives %i workers together what one has", (workers) => {
    const whole = take(createDueTimes({ ...WHOLE, warmupMs: 500, arrivals }));
    const shares = Array.from({ length: workers }, (_, worker) =>
      take(createDueTimes({ ...WHOLE, warmupMs: 500, arrivals, worker, workers })),
    );
    for (const [worker, share] of shares.entries()) {
      expect(share.every(({ seq }) => seq % workers === worker)).toBe(true);
    }
    expect(shares.flat().toSorted((a, b) => a.seq - b.seq)).toEqual(whole);
  });

  test("stays at its end", () => {
    const due = createDueTimes({ ...WHOLE, durationMs: 100, arrivals });
    take(due);
    expect(due.next()).toBe(Infinity);
    expect(due.next()).toBe(Infinity);
  });
});

describe.each(PROFILES)("constant spacing of $kind", (profile) => {
  const arrivals = { kind: "open", profile, spacing: "constant" } as const;

  test("has as many starts as the integral of the rate", () => {
    const expected = createRateCurve(profile, 10_000).startsUntil(10_000);
    expect(take(createDueTimes({ ...WHOLE, arrivals })).length).toBe(Math.ceil(expected - 1e-6));
  });

  test("has its measured starts at the same times, whatever the warm-up is", () => {
    const without = take(createDueTimes({ ...WHOLE, arrivals }));
    const warmed = take(createDueTimes({ ...WHOLE, warmupMs: 1234, arrivals }));
    expect(warmed.filter(({ dueMs }) => dueMs >= 0).map(({ dueMs }) => dueMs)).toEqual(
      without.map(({ dueMs }) => dueMs),
    );
  });
});

test.each([
  { rate: 500, durationMs: 10_000, starts: 5000 },
  { rate: 100 / 3, durationMs: 30_000, starts: 1000 },
  { rate: 1 / 3, durationMs: 30_000, starts: 10 },
  { rate: 7, durationMs: 1000, starts: 7 },
  { rate: 1, durationMs: 1500, starts: 2 },
  { rate: 0.01, durationMs: 1000, starts: 1 },
  { rate: 0, durationMs: 1000, starts: 0 },
])("constant $rate/s over $durationMs ms has $starts starts", ({ rate, durationMs, starts }) => {
  const plan = { ...WHOLE, durationMs, arrivals: constant(rate) };
  expect(take(createDueTimes(plan)).length).toBe(starts);
});

test("the warm-up has the first rate, and ends one gap before the first measured start", () => {
  const found = take(createDueTimes({ ...WHOLE, warmupMs: 1000, arrivals: constant(4) }), 6);
  expect(found.map(({ dueMs }) => dueMs)).toEqual([-1000, -750, -500, -250, 0, 250]);
});

/** vegeta counts a hit as due at the end of its interval, so its hit n is our start n + 1. */
test.each([
  { rate: 1, elapsedMs: 1000, hits: 0, waitMs: 0 },
  { rate: 1, elapsedMs: 1000, hits: 1, waitMs: 1000 },
  { rate: 1, elapsedMs: 1000, hits: 2, waitMs: 2000 },
  { rate: 2, elapsedMs: 4900, hits: 9, waitMs: 100 },
])(
  "constant $rate/s waits $waitMs ms after $elapsedMs ms and $hits hits, as vegeta's pacer does",
  ({ rate, elapsedMs, hits, waitMs }) => {
    const found = take(createDueTimes({ ...WHOLE, arrivals: constant(rate) }), hits + 2);
    const nextMs = found[hits + 1]?.dueMs as number;
    expect(Math.max(0, nextMs - elapsedMs)).toBe(waitMs);
  },
);

test("a duration without end has starts without end", () => {
  for (const spacing of ["constant", "poisson"] as const) {
    const arrivals = { kind: "open", profile: { kind: "constant", rate: 1000 }, spacing } as const;
    const found = take(createDueTimes({ ...WHOLE, durationMs: Infinity, arrivals }), 50_000);
    expect(found.length).toBe(50_000);
    expect(found.at(-1)?.dueMs).toBeGreaterThan(48_000);
  }
});

test("times that were recorded come as they were, within the duration and without a warm-up", () => {
  const timesMs = Float64Array.of(0, 0.5, 0.5, 3, 9, 20);
  const plan = { ...WHOLE, warmupMs: 1000, durationMs: 20, arrivals: { kind: "times", timesMs } };
  const found = [0, 1].map((worker) =>
    take(createDueTimes({ ...(plan as DueTimesPlan), worker, workers: 2 })),
  );
  expect(found[0]).toEqual([
    { seq: 0, dueMs: 0 },
    { seq: 2, dueMs: 0.5 },
    { seq: 4, dueMs: 9 },
  ]);
  expect(found[1]).toEqual([
    { seq: 1, dueMs: 0.5 },
    { seq: 3, dueMs: 3 },
  ]);
});

describe("Poisson arrivals", () => {
  const poisson = (profile: RateProfilePlan, seed = 1, durationMs = 100_000): number[] => {
    const arrivals = { kind: "open", profile, spacing: "poisson" } as const;
    return take(createDueTimes({ ...WHOLE, durationMs, seed, arrivals })).map(({ dueMs }) => dueMs);
  };

  test("scatter about the rate as independent ones do: variance over mean of counts is 1", () => {
    for (const seed of [1, 2, 3]) {
      const times = poisson({ kind: "constant", rate: 500 }, seed);
      const counts = countsOf(times, 100, 1000);
      // 999 degrees of freedom: 5 standard errors are 5 · √(2 / 999).
      expect(Math.abs(dispersionOf(counts) - 1)).toBeLessThan(0.224);
      expect(Math.abs(times.length - 50_000)).toBeLessThan(5 * Math.sqrt(50_000));
    }
  });

  test("have exponential gaps: mean and deviation are the same, e⁻¹ of them are longer", () => {
    const times = poisson({ kind: "constant", rate: 500 });
    const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(mean).toBeCloseTo(2, 1);
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
    expect(gaps.filter((gap) => gap > mean).length / gaps.length).toBeCloseTo(Math.exp(-1), 2);
  });

  test.each(PROFILES)("follow the rate of $kind", (profile) => {
    const seeds = 40;
    const windowMs = 1000;
    const curve = createRateCurve(profile, 10_000);
    const sums = new Float64Array(10);
    for (let seed = 0; seed < seeds; seed++) {
      countsOf(poisson(profile, seed, 10_000), windowMs, 10).forEach((count, window) => {
        sums[window]! += count;
      });
    }
    sums.forEach((sum, window) => {
      const from = curve.startsUntil(window * windowMs);
      const expected = seeds * (curve.startsUntil((window + 1) * windowMs) - from);
      expect(Math.abs(sum - expected)).toBeLessThanOrEqual(5 * Math.sqrt(expected));
    });
  });

  test("are others for another seed", () => {
    const profile = { kind: "constant", rate: 500 } as const;
    expect(poisson(profile, 1)).not.toEqual(poisson(profile, 2));
  });
});

function constant(rate: number): DueTimesPlan["arrivals"] {
  return { kind: "open", profile: { kind: "constant", rate }, spacing: "constant" };
}

function take(due: DueTimes, most = 1_000_000): { seq: number; dueMs: number }[] {
  const found: { seq: number; dueMs: number }[] = [];
  for (let dueMs = due.next(); dueMs < Infinity && found.length < most; dueMs = due.next()) {
    found.push({ seq: due.seq, dueMs });
  }
  return found;
}

function countsOf(times: readonly number[], windowMs: number, windows: number): number[] {
  const counts = new Array<number>(windows).fill(0);
  for (const time of times) counts[Math.floor(time / windowMs)]!++;
  return counts;
}

function dispersionOf(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const squares = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0);
  return squares / (counts.length - 1) / mean;
}
