import { describe, expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import type { CapacityStep, StepOutcome } from "./capacity.ts";
import { CapacitySearch, CONFIRMATIONS, STEPS_MAX, type SearchPlan } from "./capacity-search.ts";
import type { Objective } from "./objective.ts";
import { simulateStep, type TestJudgement, type TestQueue } from "./test-queue.ts";

const PLAN: SearchPlan = {
  precision: 0.05,
  requestsMin: 10_000,
  warmupMs: 5_000,
  stepMsMin: 10_000,
  stepMsMax: 60_000,
  coolDownMs: 3_000,
  timeMsMax: 30 * 60_000,
  rateMax: 1_000_000,
};

/** One server that does 100/s. */
const QUEUE: TestQueue = {
  servers: 1,
  serviceMs: 10,
  service: "exponential",
  spacing: "poisson",
};

function p99Below(limit: number): Objective {
  return { text: `p99<${limit}ms`, figure: "p99", comparison: "<", limit };
}

function searchQueue(
  queue: TestQueue,
  objective: Objective,
  {
    seed = 1,
    plan = {},
    ...limits
  }: Omit<TestJudgement, "objectives"> & {
    readonly seed?: number;
    readonly plan?: Partial<SearchPlan>;
  } = {},
): CapacitySearch {
  const search = new CapacitySearch({ ...PLAN, ...plan });
  const random = new TestRandom(seed);
  for (let step = search.next(); step !== undefined; step = search.next()) {
    search.add(simulateStep(step, queue, random, { objectives: [objective], ...limits }));
  }
  return search;
}

/** Answers a search as it is told to, without a queue. */
function searchBy(
  holds: (step: CapacityStep, nth: number) => boolean | Partial<StepOutcome>,
  plan: Partial<SearchPlan> = {},
): CapacitySearch {
  const search = new CapacitySearch({ ...PLAN, ...plan });
  let nth = 0;
  for (let step = search.next(); step !== undefined; step = search.next()) {
    const said = step.phase === "baseline" || step.phase === "cool-down" || holds(step, nth++);
    const isHeld = said !== false;
    search.add({ ...outcomeOf(step, isHeld), ...(typeof said === "object" ? said : {}) });
  }
  return search;
}

function outcomeOf(step: CapacityStep, isHeld: boolean): StepOutcome {
  return {
    step,
    requests: 10_000,
    tookMs: step.warmupMs + step.durationMs,
    sentRate: step.rate === 0 ? 100 : step.rate,
    goodput: step.rate === 0 ? 100 : step.rate,
    p50Ms: 10,
    p99Ms: isHeld ? 20 : 200,
    meanMs: 10,
    serviceMeanMs: 10,
    errors: 0,
    underWayMean: 1,
    underWayError: 0,
    missed: isHeld ? [] : ["p99<100ms: 200ms"],
    isOversaturated: false,
    isSteady: true,
    spoiled: undefined,
    server: undefined,
  };
}

const phasesOf = (search: CapacitySearch): readonly string[] =>
  search.outcomes.map(({ step }) => `${step.phase} ${step.rate}`);

describe("CapacitySearch of M/M/1 that does 100/s finds the closed form, 100 − ln(100)/L", () => {
  // Steps long enough that chance hardly counts.
  const plan = { requestsMin: 30_000, stepMsMax: Infinity, timeMsMax: Infinity };

  it.each([
    [100, 53.95],
    [200, 76.97],
    [500, 90.79],
    [1000, 95.39],
  ])("for p99 below %d ms: %d/s", (limitMs, rate) => {
    const { low, high, end } = searchQueue(QUEUE, p99Below(limitMs), { plan }).state();
    expect(end).toBe("found");
    expect(low?.confirmations).toBe(CONFIRMATIONS);
    expect(low?.rate).toBeLessThan(rate * 1.04);
    expect(high?.rate).toBeGreaterThan(rate * 0.96);
    expect((high?.rate ?? 0) / (low?.rate ?? 1)).toBeLessThanOrEqual(1.1);
  });
});

it("CapacitySearch with steps of a minute, of some 3,000 to 6,000 requests, is within a fifth of the closed form", () => {
  for (const [limitMs, rate] of [
    [100, 53.95],
    [200, 76.97],
    [500, 90.79],
    [1000, 95.39],
  ] as const) {
    for (let seed = 1; seed <= 5; seed++) {
      const { low, high, end } = searchQueue(QUEUE, p99Below(limitMs), { seed }).state();
      expect(end, `seed ${seed}`).toBe("found");
      expect(low?.rate, `seed ${seed}`).toBeGreaterThan(0.8 * rate);
      expect(high?.rate, `seed ${seed}`).toBeLessThan(1.2 * rate);
    }
  }
});

it("CapacitySearch to ±2 % ends with a narrower interval", () => {
  const plan = {
    precision: 0.02,
    requestsMin: 50_000,
    stepMsMax: Infinity,
    timeMsMax: Infinity,
  };
  const { low, high } = searchQueue(QUEUE, p99Below(500), { plan }).state();
  expect((high?.rate ?? 0) / (low?.rate ?? 1)).toBeLessThanOrEqual(1.04);
  expect(low?.rate).toBeLessThan(90.79 * 1.02);
  expect(high?.rate).toBeGreaterThan(90.79 * 0.98);
});

it("CapacitySearch stops at the errors of a service that refuses quickly", () => {
  const errors: Objective = { text: "errors<1%", figure: "errors", comparison: "<", limit: 0.01 };
  const { low, high, end } = searchQueue({ ...QUEUE, servers: 10, placesMax: 10 }, errors).state();
  expect(end).toBe("found");
  // Erlang B of 10 servers is 1 % at 4.461 erlangs, 446/s.
  expect(low?.rate).toBeLessThan(446 * 1.06);
  expect(high?.rate).toBeGreaterThan(446 * 0.94);
  expect(high?.missed[0]?.missed[0]).toMatch(/^errors<1%: .*503 Service Unavailable/);
});

it("CapacitySearch ends queues that grow by themselves where no latency is asked for", () => {
  const errors: Objective = { text: "errors<1%", figure: "errors", comparison: "<", limit: 0.01 };
  const { low, high } = searchQueue(QUEUE, errors).state();
  expect(high?.missed.at(-1)?.missed).toEqual(["requests under way and latency kept growing"]);
  expect(low?.rate).toBeGreaterThan(85);
  expect(low?.rate).toBeLessThan(115);
});

it("CapacitySearch says at least where the generator is what fails", () => {
  const search = searchQueue(QUEUE, p99Below(500), { generatorRateMax: 60 });
  const { low, high, end } = search.state();
  expect(end).toBe("at_least");
  expect(high?.isSpoiled).toBe(true);
  expect(low?.rate).toBeLessThanOrEqual(60);
  expect(low?.rate).toBeGreaterThan(50);
});

it("CapacitySearch ends at once where one client misses the objectives already", () => {
  const search = searchQueue(QUEUE, p99Below(20));
  expect(search.state()).toMatchObject({ end: "none", low: undefined, high: undefined });
  expect(phasesOf(search)).toEqual(["baseline 0", "baseline 0", "baseline 0"]);
});

it("CapacitySearch goes on where one client is refused a part: it asks for more than many services allow", () => {
  const errors: Objective = { text: "errors<1%", figure: "errors", comparison: "<", limit: 0.01 };
  const search = new CapacitySearch(PLAN);
  const random = new TestRandom(1);
  for (let step = search.next(); step !== undefined; step = search.next()) {
    const outcome = simulateStep(step, QUEUE, random, { objectives: [errors] });
    const refused = { errors: 0.9, goodput: 100, p50Ms: 0.1, missed: ["errors<1%: 90%"] };
    search.add(step.phase === "baseline" ? { ...outcome, ...refused } : outcome);
  }
  expect(search.state().end).toBe("found");
  expect(search.unrecovered).toBe(0);
  const refused = { errors: 1, goodput: 0, missed: ["errors<1%: 100%"] };
  const gone = new CapacitySearch(PLAN);
  for (let step = gone.next(); step !== undefined; step = gone.next()) {
    gone.add({ ...outcomeOf(step, true), ...refused });
  }
  expect(gone.state().end).toBe("none");
  expect(gone.outcomes).toHaveLength(3);
});

it("CapacitySearch goes down where even a tenth of one client's rate fails, to one a second", () => {
  expect(searchBy(() => false).state()).toMatchObject({ end: "none" });
  const search = searchBy(({ rate }) => rate < 4);
  expect(search.state().low?.rate).toBeLessThan(4);
  expect(search.state().high?.rate).toBeGreaterThanOrEqual(4);
  expect(search.state().end).toBe("found");
});

it("CapacitySearch doubles from a tenth, bisects and confirms three times", () => {
  const search = searchBy(({ rate }) => rate < 70);
  expect(phasesOf(search).filter((phase) => !phase.startsWith("cool-down"))).toEqual([
    "baseline 0",
    "double 10",
    "double 20",
    "double 40",
    "double 80", // short,
    "double 80", // and in full,
    "double 80", // twice
    "bisect 56.6",
    "bisect 67.3",
    "bisect 73.4",
    "bisect 73.4",
    "confirm 67.3",
    "confirm 67.3",
    "confirm 67.3",
  ]);
});

it("CapacitySearch asks a rate again that was missed once, so that a hiccup does not end it", () => {
  let isHiccup = true;
  const search = searchBy(({ rate, durationMs }) => {
    if (rate !== 56.6 || durationMs < 60_000 || !isHiccup) return rate < 70;
    isHiccup = false;
    return false;
  });
  expect(search.state().low?.rate).toBe(67.3);
  expect(search.trials.find(({ rate }) => rate === 56.6)).toMatchObject({ verdict: "holds" });
});

it("CapacitySearch steps back when the rate it found does not hold", () => {
  const search = searchBy(({ phase, rate }) => rate < 70 && !(phase === "confirm" && rate > 60));
  const { low, high, end } = search.state();
  expect(end).toBe("found");
  expect(high?.rate).toBeLessThanOrEqual(67.3);
  expect(low?.rate).toBeLessThan(60);
  expect(low?.confirmations).toBe(CONFIRMATIONS);
});

it("CapacitySearch takes one step in which the queue grew without end as a failure", () => {
  const search = searchBy(({ rate }) =>
    rate < 70 ? true : { isOversaturated: true, missed: ["kept growing"] },
  );
  expect(phasesOf(search).filter((phase) => phase === "double 80")).toHaveLength(1);
});

it("CapacitySearch sets a step aside that was not steady, once a rate", () => {
  const search = searchBy(({ rate }) => ({
    isSteady: false,
    missed: rate < 70 ? [] : ["p99<100ms: 200ms"],
  }));
  expect(phasesOf(search).filter((phase) => phase === "double 20")).toHaveLength(2);
  expect(search.state().low?.rate).toBe(67.3);
});

it("CapacitySearch cools down after a step that missed, until the median is that of one client again", () => {
  let coolDowns = 0;
  const search = new CapacitySearch(PLAN);
  for (let step = search.next(); step !== undefined; step = search.next()) {
    const outcome = outcomeOf(step, step.rate < 70);
    if (step.phase === "cool-down") coolDowns += 1;
    // The second one finds the service as it was.
    const isHot = step.phase === "cool-down" && coolDowns % 2 === 1;
    search.add(isHot ? { ...outcome, p50Ms: 50 } : outcome);
  }
  expect(coolDowns).toBe(2 * search.outcomes.filter(({ missed }) => missed.length > 0).length);
  expect(search.unrecovered).toBe(0);
});

it("CapacitySearch takes the median at the lowest rate as rest: processors that have little to do are slower", () => {
  const search = new CapacitySearch(PLAN);
  for (let step = search.next(); step !== undefined; step = search.next()) {
    const isIdle = step.phase === "cool-down" || step.rate === 10;
    search.add({ ...outcomeOf(step, step.rate < 70), ...(isIdle ? { p50Ms: 30 } : {}) });
  }
  expect(search.unrecovered).toBe(0);
});

it("CapacitySearch goes on after five cool-downs, and counts that", () => {
  const search = searchBy(({ rate }) => rate < 15);
  expect(search.unrecovered).toBe(0);
  const hot = new CapacitySearch(PLAN);
  for (let step = hot.next(); step !== undefined; step = hot.next()) {
    const outcome = outcomeOf(step, step.rate < 15);
    hot.add(step.phase === "cool-down" ? { ...outcome, p50Ms: 50 } : outcome);
  }
  expect(hot.unrecovered).toBeGreaterThan(0);
  expect(hot.state().low?.rate).toBe(search.state().low?.rate);
});

it("CapacitySearch ends at the highest rate that is allowed, as at least", () => {
  const { low, high, end } = searchBy(() => true, { rateMax: 300 }).state();
  expect([low?.rate, high, end]).toEqual([300, undefined, "at_least"]);
  expect(low?.confirmations).toBe(CONFIRMATIONS);
});

it("CapacitySearch begins no step that would not end in time, and says it has not finished", () => {
  const search = searchQueue(QUEUE, p99Below(500), { plan: { timeMsMax: 5 * 60_000 } });
  expect(search.tookMs).toBeLessThanOrEqual(5 * 60_000);
  expect(search.state().end).toBe("unfinished");
  expect(search.state().low?.rate).toBeGreaterThan(0);
});

it("CapacitySearch ends whatever it is told", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new TestRandom(seed);
    const search = searchBy(
      () => ({
        missed: random.next() < 0.5 ? [] : ["missed"],
        isSteady: random.next() < 0.7,
        isOversaturated: random.next() < 0.05,
        spoiled: random.next() < 0.2 ? "late" : undefined,
      }),
      { timeMsMax: Infinity },
    );
    const { low, high, end } = search.state();
    expect(search.outcomes.length, `seed ${seed}`).toBeLessThanOrEqual(STEPS_MAX);
    expect(end, `seed ${seed}`).toBeDefined();
    if (low !== undefined && high !== undefined) {
      expect(low.rate, `seed ${seed}`).toBeLessThan(high.rate);
    }
    if (end === "found") {
      expect(low?.confirmations, `seed ${seed}`).toBe(CONFIRMATIONS);
      expect((high?.rate ?? 0) / (low?.rate ?? 1), `seed ${seed}`).toBeLessThanOrEqual(1.1);
    }
  }
});
