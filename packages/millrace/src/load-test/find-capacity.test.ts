import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { CapacityStep, StepOutcome } from "../core/load/capacity.ts";
import type { LoadReport, LoadWindow } from "../core/load/load-report.ts";
import { LoadTally } from "../core/load/load-tally.ts";
import { judgeObjective } from "../core/load/objective.ts";
import { serve } from "../core/load/test-queue.ts";
import { TestRandom } from "../core/test-random.ts";
import { findCapacity, type FindCapacityOptions } from "./find-capacity.ts";
import { LoadInputError } from "./load-input-error.ts";
import type { MeasureLoadOptions } from "./measure-load.ts";
import { parseObjectives } from "./read-objectives.ts";
import { testLoadReport } from "./reports/test-load-report.ts";
import { testLoadPlan } from "./test-load-plan.ts";

const PLAN = testLoadPlan("http://service.example/predict");

/** Does a step in no time, on a queue that does `rateMax` a second. */
function simulated(rateMax: number, asked: MeasureLoadOptions[] = []) {
  const queue = { servers: 1, serviceMs: 1000 / rateMax, service: "exponential" } as const;
  return (options: MeasureLoadOptions): Promise<LoadReport> => {
    asked.push(options);
    const { plan, objectives } = options;
    const { arrivals, warmupMs, durationMs } = plan;
    const rate =
      arrivals.kind === "open" && arrivals.profile.kind === "constant" ? arrivals.profile.rate : 0;
    const tally = new LoadTally(0);
    let sent = 0;
    const random = new TestRandom(plan.seed);
    serve({ ...queue, spacing: "poisson" }, { rate, warmupMs, durationMs }, random, (at, done) => {
      if (at < 0) return;
      sent += 1;
      tally.add({
        seq: sent,
        intendedMs: at,
        sentMs: at,
        firstByteMs: done,
        doneMs: done,
        code: 200,
        bytesOut: 0,
        bytesIn: 0,
        error: "",
      });
    });
    const { millrace, ...vegeta } = tally.report();
    const starts = { due: sent, sent, dropped: 0, unanswered: 0 };
    const facts = { ...millrace, starts, problems: [], duration_ms: durationMs };
    const judged = objectives.map((objective) =>
      judgeObjective(objective, { ...vegeta, millrace: facts }),
    );
    for (const window of millrace.timeline) options.onWindow?.(window, totalsOf(window));
    const { server: _, ...like } = testLoadReport({ windows: 1 }).millrace;
    return Promise.resolve({
      ...vegeta,
      millrace: { ...like, ...facts, objectives: judged, valid: true },
    });
  };
}

function totalsOf(window: LoadWindow) {
  const { due, ok, failed, dropped, codes, p50_ms, p99_ms, max_ms, under_way } = window;
  const figures = { p50Ms: p50_ms, p99Ms: p99_ms, maxMs: max_ms };
  return { due, sent: due, ok, failed, dropped, codes, ...figures, underWay: under_way };
}

function find(options: Partial<FindCapacityOptions> = {}) {
  return findCapacity({
    plan: PLAN,
    objectives: parseObjectives("p99<50ms"),
    isPrecise: false,
    command: "millrace load --find-capacity",
    measure: simulated(1000),
    ...options,
  });
}

it("findCapacity() finds what a queue that does 1,000/s can do, and reports on it", async () => {
  const report = await find();
  // 1000 − ln(100)/0.05
  expect(report.rate).toBeGreaterThan(907.9 * 0.85);
  expect(report.interval.high).toBeLessThan(907.9 * 1.15);
  expect(report).toMatchObject({
    outcome: "found",
    confirmations: 3,
    objectives: ["p99<50ms", "errors<0.1%"],
    name: PLAN.name,
    command: "millrace load --find-capacity",
    targets: ["GET http://service.example/predict"],
    precision: 0.05,
    is_generator_bound: false,
    server_p99_ms: null,
    notes: [],
    littles_law: { holds: true },
  });
  expect(report.limits.rate).toBeCloseTo(0.8 * report.rate, 9);
});

it("findCapacity() sends one client first, then constant rates spaced as in the plan, each with its own draws", async () => {
  const asked: MeasureLoadOptions[] = [];
  const spacing = { kind: "open", profile: { kind: "constant", rate: 1 }, spacing: "poisson" };
  await find({
    plan: { ...PLAN, arrivals: spacing as typeof PLAN.arrivals, threads: 4 },
    measure: simulated(1000, asked),
  });
  const plans = asked.map(({ plan }) => plan);
  expect(plans[0]).toMatchObject({
    arrivals: { kind: "closed", clients: 1, thinkMs: 0 },
    threads: 1,
    warmupMs: 5_000,
    durationMs: 10_000,
  });
  expect(plans[1]).toMatchObject({
    arrivals: { kind: "open", profile: { kind: "constant" }, spacing: "poisson" },
    threads: 4,
  });
  expect(new Set(plans.map(({ seed }) => seed)).size).toBe(plans.length);
});

it("findCapacity() takes ten times the p99 of one client where nobody says what is too slow", async () => {
  // One client of a queue that does 1,000/s has a p99 of ln(100) = 4.6 ms, so 50 ms are more than ten times that.
  expect((await find({ objectives: [] })).objectives).toEqual(["p99<50ms", "errors<0.1%"]);
  const slow = await find({ objectives: [], measure: simulated(50) });
  const [, limit] = /^p99<(\d+)ms$/.exec(slow.objectives[0] ?? "") ?? [];
  expect(Number(limit)).toBeGreaterThan(700);
  expect(Number(limit)).toBeLessThan(1200);
});

it("findCapacity() says beforehand what it looks for and how long that takes at most", async () => {
  const told: string[] = [];
  const steps: CapacityStep[] = [];
  const outcomes: StepOutcome[] = [];
  await find({
    isPrecise: true,
    onPlan: (text) => told.push(`${steps.length} ${text}`),
    onStep: (step) => steps.push(step),
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  expect(told).toEqual([
    "0 Looking for the highest rate that meets p99<50ms, errors<0.1%, to ±2 %: some 20 to 40 steps of 15 s, or up to 185 s where 10,000 requests take longer; at most 90 minutes",
  ]);
  expect(outcomes.map(({ step }) => step)).toEqual(steps);
});

it("findCapacity() stops a step as soon as the queue has grown without end", async () => {
  const queue = simulated(1000);
  const aborted: number[] = [];
  await find({
    measure: async (options) => {
      const report = await queue(options);
      const { arrivals } = options.plan;
      if (options.signal?.aborted !== true || arrivals.kind !== "open") return report;
      if (arrivals.profile.kind === "constant") aborted.push(arrivals.profile.rate);
      return report;
    },
  });
  expect(aborted.length).toBeGreaterThan(0);
  expect(Math.min(...aborted)).toBeGreaterThan(950);
});

it("findCapacity() reports what it knows when it is interrupted, and leaves out the step that was", async () => {
  const stop = new AbortController();
  const queue = simulated(1000);
  let steps = 0;
  const report = await find({
    signal: stop.signal,
    measure: (options) => {
      steps += 1;
      if (steps === 5) stop.abort();
      return queue(options);
    },
  });
  expect(report).toMatchObject({ outcome: "unfinished", interval: { high: null } });
  expect(report.curve).toHaveLength(4);
  expect(report.rate).toBe(report.curve.at(-1)?.rate);
  expect(report.notes.slice(0, 2)).toEqual([
    `${report.rate}/s was confirmed 0 of 3 times: the search ended before`,
    "no rate was high enough to fail: the capacity is at least the one that is stated",
  ]);
});

it("findCapacity() reports a server that cannot be reached any more, with what was known", async () => {
  const queue = simulated(1000);
  let steps = 0;
  const report = await find({
    measure: (options) => {
      steps += 1;
      if (steps > 3) throw new LoadInputError("connect ECONNREFUSED 127.0.0.1:8000");
      return queue(options);
    },
  });
  expect(report.outcome).toBe("unfinished");
  expect(report.notes[0]).toMatch(
    /^the search ended before a step of [\d.]+\/s: connect ECONNREFUSED/,
  );
  expect(report.rate).toBeGreaterThan(0);
});

it("findCapacity() rejects where the server cannot be reached at all, and objectives that are none of a search", async () => {
  const unreachable = find({
    measure: () => Promise.reject(new LoadInputError("connect ECONNREFUSED 127.0.0.1:8000")),
  });
  await expect(unreachable).rejects.toThrow("connect ECONNREFUSED");
  expect(() => find({ objectives: parseObjectives("throughput>5/s") })).toThrow(LoadInputError);
});

describe("findCapacity() of a real server", () => {
  let server: Server | undefined;

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  /** @param burst requests that are taken at once; afterwards so many a second. */
  async function limitedServer(rate: number, burst: number): Promise<string> {
    let tokens = burst;
    let lastMs = performance.now();
    server = createServer((_, reply) => {
      const nowMs = performance.now();
      tokens = Math.min(burst, tokens + ((nowMs - lastMs) / 1000) * rate);
      lastMs = nowMs;
      if (tokens < 1) reply.statusCode = 503;
      else tokens -= 1;
      reply.end("{}");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  it("ends at the rate above which it refuses", { timeout: 120_000 }, async () => {
    const url = await limitedServer(200, 100);
    const report = await findCapacity({
      plan: { ...testLoadPlan(url), connectionsMax: 200 },
      objectives: parseObjectives("p99<10s,errors<20%"),
      isPrecise: false,
      command: "",
      // Steps of half a second get through with the burst: what is exact is tested with simulated queues.
      bounds: {
        precision: 0.5,
        warmupMs: 100,
        stepMsMin: 500,
        stepMsMax: 500,
        coolDownMs: 100,
        requestsMin: 500,
      },
    });
    expect(report.rate).toBeGreaterThan(20);
    expect(report.rate).toBeLessThan(700);
    const failed = report.curve.filter(({ met, phase }) => !met && phase !== "baseline");
    expect(failed.length).toBeGreaterThan(0);
    expect(Math.max(...failed.map(({ errors }) => errors))).toBeGreaterThan(0.2);
    expect(report.notes.at(-1)).toMatch(/share this machine/);
  });
});
