import { expect, it } from "vitest";
import type { CapacityStep, StepOutcome } from "./capacity.ts";
import { capacityReport, type SearchedFacts } from "./capacity-report.ts";
import { CapacitySearch, type SearchPlan } from "./capacity-search.ts";

const PLAN: SearchPlan = {
  precision: 0.05,
  requestsMin: 1_000,
  warmupMs: 5_000,
  stepMsMin: 10_000,
  stepMsMax: 60_000,
  coolDownMs: 3_000,
  timeMsMax: 30 * 60_000,
  rateMax: 1_000_000,
};

const FACTS: SearchedFacts = {
  name: "iris",
  started: "2026-11-21T17:00:00.000Z",
  command: "millrace load iris --find-capacity",
  protocol: "http1",
  targets: ["POST http://127.0.0.1:8000/predict"],
  arrivals: "constant rates, Poisson arrivals",
  seed: 1,
  objectives: ["p99<50ms"],
  took_ms: 1,
  environment: {
    millrace: "1.0.0",
    node: "v24.12.0",
    os: "Linux",
    cpu: "cpu",
    cores: 2,
    memory_mib: 4096,
    load_average: 0,
  },
};

type Told = Partial<StepOutcome>;
const MISSED: Told = { p99Ms: 70, missed: ["p99<50ms: 70ms"] };

/** A service that holds below 70/s. */
function report(
  tell: (step: CapacityStep) => Told = ({ rate }) => (rate < 70 ? {} : MISSED),
  plan: Partial<SearchPlan> = {},
) {
  const whole = { ...PLAN, ...plan };
  const search = new CapacitySearch(whole);
  for (let step = search.next(); step !== undefined; step = search.next()) {
    search.add({
      step,
      requests: 1_000,
      tookMs: step.warmupMs + step.durationMs,
      sentRate: step.rate === 0 ? 100 : step.rate,
      goodput: step.rate === 0 ? 100 : step.rate,
      p50Ms: 10,
      p99Ms: 20 + step.rate / 10,
      meanMs: 12,
      serviceMeanMs: 12,
      errors: 0,
      underWayMean: (step.rate * 12) / 1000,
      underWayError: 0,
      missed: [],
      isOversaturated: false,
      isSteady: true,
      spoiled: undefined,
      server: undefined,
      ...tell(step),
    });
  }
  return capacityReport(search, whole, FACTS);
}

it("capacityReport() states the rate with both ends, what stopped it, and the limits", () => {
  expect(report()).toMatchObject({
    ...FACTS,
    format: 1,
    outcome: "found",
    rate: 67.3,
    confirmations: 3,
    interval: { low: 67.3, high: 73.4 },
    limited_by: "p99<50ms: 70ms",
    is_generator_bound: false,
    notes: [],
    one_client: { rate: 100, p50_ms: 10, p99_ms: 20 },
    client_p99_ms: 26.73,
    server_p99_ms: null,
    refused: {},
    littles_law: { holds: true },
  });
  const { limits } = report();
  expect(limits.concurrency).toBe(1);
  expect(limits.rate).toBeCloseTo(53.84, 10);
  expect(limits.autoscale_target).toBeCloseTo(47.11, 10);
});

it("capacityReport() has the steps in their order, without those that waited", () => {
  const { curve } = report();
  expect(curve[0]).toMatchObject({ phase: "baseline", rate: 100, met: true });
  expect(curve.map(({ phase }) => phase)).not.toContain("cool-down");
  expect(curve.at(-1)).toMatchObject({ phase: "confirm", rate: 67.3, met: true, spoiled: false });
  expect(curve.find(({ rate }) => rate === 80)).toMatchObject({ met: false, p99_ms: 70 });
});

it("capacityReport() takes both p99 of the slowest step that confirmed", () => {
  let confirmed = 0;
  const found = report(({ phase, rate }) => {
    if (phase !== "confirm") return rate < 70 ? {} : MISSED;
    confirmed += 1;
    const p99Ms = confirmed === 2 ? 48 : 30;
    return { p99Ms, server: { requests: 1, p50_ms: 1, p99_ms: p99Ms - 5, refused: {} } };
  });
  expect(found).toMatchObject({ client_p99_ms: 48, server_p99_ms: 43 });
});

it("capacityReport() says at least where the generator failed, and knows the service's own end above", () => {
  const found = report(({ rate }) => {
    if (rate < 60) return {};
    return rate < 75 ? { ...MISSED, spoiled: "Requests were sent late" } : MISSED;
  });
  expect(found).toMatchObject({
    outcome: "at_least",
    is_generator_bound: true,
    limited_by: "the generator: Requests were sent late",
    interval: { high: 80 },
  });
});

it("capacityReport() has no upper end where every miss is the generator's", () => {
  const spoiled = { ...MISSED, spoiled: "Requests were sent late" };
  const found = report(({ rate }) => (rate < 60 ? {} : spoiled));
  expect(found.interval.high).toBeNull();
  expect(found.curve.find(({ rate }) => rate === 80)).toMatchObject({ met: false, spoiled: true });
});

it("capacityReport() of a service whose single client misses already names that", () => {
  const found = report(() => ({
    missed: ["errors<0.1%: 100% (404 Not Found)"],
    errors: 1,
    goodput: 0,
  }));
  expect(found).toMatchObject({
    outcome: "none",
    rate: 0,
    interval: { low: 0, high: null },
    limited_by: "a single client: errors<0.1%: 100% (404 Not Found)",
    limits: { concurrency: 0, rate: 0, autoscale_target: 0 },
  });
});

it("capacityReport() of no rate that holds names the lowest one that failed", () => {
  const found = report(({ phase }) => (phase === "double" ? MISSED : {}));
  expect(found).toMatchObject({ outcome: "none", rate: 0, interval: { low: 0, high: 1 } });
  expect(found.limited_by).toBe("p99<50ms: 70ms");
});

it("capacityReport() notes what was not finished", () => {
  const found = report(undefined, { timeMsMax: 3 * 60_000 });
  expect(found.outcome).toBe("unfinished");
  expect(found.notes.join("\n")).toMatch(/was confirmed \d of 3 times: the search ended before/);
  const early = report(undefined, { timeMsMax: 60_000 });
  expect(early.notes).toContain(
    "no rate was high enough to fail: the capacity is at least the one that is stated",
  );
});

it("capacityReport() notes steps with too few requests, rates that wavered, and drifts", () => {
  expect(report(({ rate }) => ({ ...(rate < 70 ? {} : MISSED), requests: 500 })).notes).toEqual([
    "the highest percentile comes from 500 requests a step where 1,000 would be enough: only longer steps say more",
  ]);
  let isFirst = true;
  const wavering = report(({ phase, rate }) => {
    if (rate >= 70) return MISSED;
    if (phase !== "confirm" || !isFirst) return {};
    isFirst = false;
    return MISSED;
  });
  expect(wavering.notes).toEqual(["67.3/s was held 4 of 5 times (p99<50ms: 70ms)"]);
  let isDrifting = true;
  const drifting = report(({ rate }) => {
    if (rate >= 70) return MISSED;
    if (rate !== 67.3 || !isDrifting) return {};
    isDrifting = false;
    return { isSteady: false };
  });
  expect(drifting.notes).toEqual([
    "at 67.3/s throughput or latency drifted within a step, once or more",
  ]);
});

it("capacityReport() notes that the service's own limits refused, and a service that did not recover", () => {
  const server = { requests: 1, p50_ms: 1, p99_ms: 1, refused: { rate: 120, queue: 3 } };
  const refusing = report(({ rate }) => (rate < 70 ? {} : { ...MISSED, server }));
  expect(refusing.refused).toEqual({ rate: 240, queue: 6 });
  expect(refusing.notes).toEqual([
    "above it the service itself refused requests (240 rate, 6 queue): what was found is the capacity within its limits",
  ]);
  const hot = report(({ phase, rate }) =>
    phase === "cool-down" ? { p50Ms: 100 } : rate < 70 ? {} : MISSED,
  );
  expect(hot.notes[0]).toMatch(
    /^after \d steps the service did not come back to its latency at rest/,
  );
});
