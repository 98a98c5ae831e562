import { expect, test } from "vitest";
import type { Spread } from "./load-report.ts";
import { judgeObjective, type JudgedReport, type Objective } from "./objective.ts";

const RESPONSE: Spread = {
  count: 1000,
  mean_ms: 12.5,
  min_ms: 1,
  p50_ms: 10,
  p90_ms: 20,
  p95_ms: 30,
  p99_ms: 61.234_567,
  p999_ms: 90,
  p9999_ms: 95,
  max_ms: 99,
};

const REPORT: JudgedReport = {
  requests: 1000,
  success: 0.996,
  rate: 498.2,
  throughput: 490.123,
  millrace: {
    starts: { due: 1100, sent: 1000, dropped: 100, unanswered: 0 },
    response: RESPONSE,
  },
};

const EMPTY: JudgedReport = {
  requests: 0,
  success: 0,
  rate: 0,
  throughput: 0,
  millrace: {
    starts: { due: 0, sent: 0, dropped: 0, unanswered: 0 },
    response: { ...RESPONSE, count: 0 },
  },
};

test.each<{ objective: Omit<Objective, "text">; met: boolean; found: string }>([
  { objective: { figure: "p99", comparison: "<", limit: 50 }, met: false, found: "61.23ms" },
  { objective: { figure: "p99", comparison: "<", limit: 62 }, met: true, found: "61.23ms" },
  { objective: { figure: "p50", comparison: "<", limit: 10 }, met: false, found: "10ms" },
  { objective: { figure: "p50", comparison: "<=", limit: 10 }, met: true, found: "10ms" },
  { objective: { figure: "p50", comparison: ">", limit: 10 }, met: false, found: "10ms" },
  { objective: { figure: "p50", comparison: ">=", limit: 10 }, met: true, found: "10ms" },
  { objective: { figure: "min", comparison: ">", limit: 0.5 }, met: true, found: "1ms" },
  { objective: { figure: "mean", comparison: "<", limit: 13 }, met: true, found: "12.5ms" },
  { objective: { figure: "p99.9", comparison: "<", limit: 91 }, met: true, found: "90ms" },
  { objective: { figure: "p99.99", comparison: "<", limit: 91 }, met: false, found: "95ms" },
  { objective: { figure: "max", comparison: "<", limit: 100 }, met: true, found: "99ms" },
  { objective: { figure: "rate", comparison: ">=", limit: 500 }, met: false, found: "498.2/s" },
  { objective: { figure: "throughput", comparison: ">", limit: 490 }, met: true, found: "490.1/s" },
])("judgeObjective() of $objective is $met, and says $found", ({ objective, met, found }) => {
  expect(judgeObjective({ text: "as typed", ...objective }, REPORT)).toEqual({
    objective: "as typed",
    met,
    found,
  });
});

test("judgeObjective() counts a dropped start as an error: 4 failed, 100 dropped, of 1,100", () => {
  const errors: Objective = { text: "", figure: "errors", comparison: "<", limit: 0.1 };
  const success: Objective = { text: "", figure: "success", comparison: ">", limit: 0.9 };
  expect(judgeObjective(errors, REPORT)).toMatchObject({ met: true, found: "9.455%" });
  expect(judgeObjective(success, REPORT)).toMatchObject({ met: true, found: "90.55%" });
});

test("judgeObjective() takes an error share that is exactly the limit as that", () => {
  for (let failed = 0; failed <= 1000; failed++) {
    const report: JudgedReport = {
      ...REPORT,
      success: (1000 - failed) / 1000,
      millrace: { ...REPORT.millrace, starts: { ...REPORT.millrace.starts, dropped: 0 } },
    };
    // As a limit that was read from a text in percent.
    const limit = Number(`${failed}e-3`);
    const judge = (comparison: Objective["comparison"]): boolean =>
      judgeObjective({ text: "", figure: "errors", comparison, limit }, report).met;
    expect([judge("<="), judge("<")]).toEqual([true, false]);
  }
});

test("judgeObjective() shows as many digits as tell the figure from the limit", () => {
  const report: JudgedReport = {
    ...REPORT,
    millrace: { ...REPORT.millrace, response: { ...RESPONSE, p99_ms: 50.000_04 } },
  };
  const objective: Objective = { text: "", figure: "p99", comparison: "<", limit: 50 };
  expect(judgeObjective(objective, report)).toMatchObject({ met: false, found: "50.00004ms" });
});

test("judgeObjective() takes no response time as met where every answer is a failure", () => {
  const report: JudgedReport = { ...REPORT, success: 0, throughput: 0 };
  for (const comparison of ["<", ">="] as const) {
    const objective: Objective = { text: "", figure: "p50", comparison, limit: 10 };
    expect(judgeObjective(objective, report)).toEqual({
      objective: "",
      met: false,
      found: "no request succeeded",
    });
  }
});

test.each(["p99", "errors", "success", "throughput", "rate"] as const)(
  "judgeObjective() never takes %s as met where nothing was measured",
  (figure) => {
    for (const comparison of ["<", ">="] as const) {
      const objective: Objective = { text: "", figure, comparison, limit: 0 };
      expect(judgeObjective(objective, EMPTY)).toMatchObject({
        met: false,
        found: "nothing measured",
      });
    }
  },
);
