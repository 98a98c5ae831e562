import { expect, it } from "vitest";
import type { CapacityStep } from "./capacity.ts";
import type { LoadProblem, LoadWindow, Spread } from "./load-report.ts";
import { judgeObjective, type Objective } from "./objective.ts";
import { stepOutcome, type StepReport } from "./step-outcome.ts";

const STEP: CapacityStep = { phase: "bisect", rate: 100, warmupMs: 5_000, durationMs: 10_000 };
const P99: Objective = { text: "p99<50ms", figure: "p99", comparison: "<", limit: 50 };
const ERRORS: Objective = { text: "errors<1%", figure: "errors", comparison: "<", limit: 0.01 };
const LAG = { code: "lag", text: "Requests were sent late" } as const;
const RATE = { code: "rate", text: "Too few requests were sent" } as const;
const DROPPED = { code: "dropped", text: "Requests were dropped" } as const;
const CPU = { code: "cpu", text: "The generator was too busy" } as const;

function spread(ms: number): Spread {
  return {
    count: 1000,
    mean_ms: ms,
    min_ms: ms,
    p50_ms: ms,
    p90_ms: ms,
    p95_ms: ms,
    p99_ms: ms,
    p999_ms: ms,
    p9999_ms: ms,
    max_ms: ms,
  };
}

function window(at: number, facts: Partial<LoadWindow> = {}): LoadWindow {
  return {
    from_ms: at * 1000,
    due: 100,
    dropped: 0,
    ok: 100,
    failed: 0,
    answered: 100,
    p50_ms: 5,
    p90_ms: 8,
    p99_ms: 9,
    max_ms: 9,
    lag_p99_ms: 0,
    under_way: 2,
    codes: { 200: 100 },
    ...facts,
  };
}

interface Made {
  readonly responseMs?: number;
  readonly lagMs?: number;
  readonly sent?: number;
  readonly dropped?: number;
  readonly failedShare?: number;
  readonly problems?: readonly LoadProblem[];
  readonly timeline?: readonly LoadWindow[];
}

function outcome(made: Made = {}, meanwhile: { isStopped?: boolean; underWay?: number[] } = {}) {
  const { responseMs = 10, lagMs = 0, sent = 1000, dropped = 0, failedShare = 0 } = made;
  const timeline =
    made.timeline ??
    Array.from({ length: 10 }, (_, i) =>
      window(i, { ok: 100 * (1 - failedShare), failed: 100 * failedShare }),
    );
  const starts = { due: 1000, sent, dropped, unanswered: 0 };
  const response = spread(responseMs);
  const judged = { requests: sent, success: 1 - failedShare, rate: 100, throughput: 100 };
  const report: StepReport = {
    errors: failedShare > 0 ? ["503 Service Unavailable"] : [],
    millrace: {
      duration_ms: 10_000,
      window_ms: 1_000,
      timeline,
      problems: made.problems ?? [],
      starts,
      response,
      service: spread(responseMs - lagMs),
      lag: spread(lagMs),
      objectives: [P99, ERRORS].map((objective) =>
        judgeObjective(objective, { ...judged, millrace: { starts, response } }),
      ),
    },
  };
  return stepOutcome(STEP, report, { objectives: [P99, ERRORS], tookMs: 15_300, ...meanwhile });
}

it("stepOutcome() sums up a step that held", () => {
  expect(outcome()).toEqual({
    step: STEP,
    requests: 1000,
    tookMs: 15_300,
    sentRate: 100,
    goodput: 100,
    p50Ms: 10,
    p99Ms: 10,
    meanMs: 10,
    serviceMeanMs: 10,
    errors: 0,
    underWayMean: 2,
    underWayError: 0,
    missed: [],
    isOversaturated: false,
    isSteady: true,
    spoiled: undefined,
    server: undefined,
  });
});

it("stepOutcome() says what was missed, with the figure and the first error", () => {
  const { missed, errors, goodput } = outcome({ responseMs: 60, failedShare: 0.5 });
  expect(missed).toEqual(["p99<50ms: 60ms", "errors<1%: 50% (503 Service Unavailable)"]);
  expect([errors, goodput]).toEqual([0.5, 50]);
});

it("stepOutcome() counts dropped starts as errors", () => {
  expect(outcome({ sent: 900, dropped: 100 }).errors).toBe(0.1);
});

it("stepOutcome() samples requests under way while it runs, and takes those of the windows where nobody did", () => {
  expect(outcome({}, { underWay: [1, 3, 5, 7] }).underWayMean).toBe(4);
  expect(outcome({}, { underWay: [1, 3, 5, 7] }).underWayError).toBeCloseTo(
    Math.sqrt(20 / 3 / 4),
    12,
  );
  // Those after the measured time, in which the last answers come, are not of the step.
  const timeline = Array.from({ length: 20 }, (_, i) => window(i, { under_way: i < 10 ? 2 : 50 }));
  expect(outcome({ timeline }).underWayMean).toBe(2);
});

it("stepOutcome() takes a queue that grows as missed, though the objectives are met yet", () => {
  const timeline = Array.from({ length: 10 }, (_, i) =>
    window(i, { under_way: 10 * (i + 1), p50_ms: 2 * (i + 1) }),
  );
  const { missed, isOversaturated } = outcome({ timeline });
  expect(isOversaturated).toBe(true);
  expect(missed).toEqual(["requests under way and latency kept growing"]);
  expect(outcome({}, { isStopped: true }).isOversaturated).toBe(true);
});

it("stepOutcome() lets one client wait longer and longer without calling it too much", () => {
  const timeline = Array.from({ length: 10 }, (_, i) =>
    window(i, { under_way: 10 * (i + 1), p50_ms: 2 * (i + 1) }),
  );
  const { objectives, tookMs } = { objectives: [P99], tookMs: 1 };
  const millrace = {
    duration_ms: 10_000,
    window_ms: 1_000,
    timeline,
    problems: [],
    starts: { due: 1000, sent: 1000, dropped: 0, unanswered: 0 },
    response: spread(10),
    service: spread(10),
    lag: spread(0),
    objectives: [],
  };
  const step = { ...STEP, phase: "baseline", rate: 0 } as const;
  const found = stepOutcome(step, { errors: [], millrace }, { objectives, tookMs });
  expect(found.isOversaturated).toBe(false);
  expect(found.missed).toEqual([]);
});

it("stepOutcome() does not call a step spoiled that held although the generator was late", () => {
  expect(outcome({ responseMs: 45, lagMs: 20, problems: [LAG] })).toMatchObject({
    missed: [],
    spoiled: undefined,
  });
});

it("stepOutcome() blames a lag for a miss only where it would have held without it", () => {
  const missed = { responseMs: 60, problems: [LAG] };
  expect(outcome({ ...missed, lagMs: 20 }).spoiled).toBe(LAG.text);
  expect(outcome({ ...missed, lagMs: 2 }).spoiled).toBeUndefined();
  expect(outcome({ ...missed, lagMs: 20, problems: [] }).spoiled).toBeUndefined();
});

it("stepOutcome() blames a busy generator for a miss", () => {
  expect(outcome({ responseMs: 60, problems: [CPU] }).spoiled).toBe(CPU.text);
  expect(outcome({ responseMs: 40, problems: [CPU] }).spoiled).toBeUndefined();
});

it("stepOutcome() takes a rate that was not reached as missed, and the generator's fault", () => {
  expect(outcome({ sent: 900, problems: [RATE] })).toMatchObject({
    missed: ["the rate was not reached"],
    spoiled: RATE.text,
  });
});

it("stepOutcome() blames too few connections only where latencies were met", () => {
  const dropped = { sent: 500, dropped: 500, problems: [DROPPED, RATE] };
  expect(outcome(dropped).spoiled).toBe(DROPPED.text);
  expect(outcome({ ...dropped, responseMs: 2_000 }).spoiled).toBeUndefined();
});
