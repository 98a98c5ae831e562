import type { LoadFacts, LoadReport, ObjectiveResult, Spread } from "./load-report.ts";

/** What a load test must show. */
export interface Objective {
  /** As it was typed: `p99<50ms`. */
  readonly text: string;
  readonly figure: ObjectiveFigure;
  readonly comparison: Comparison;
  /** In the unit of the figure. */
  readonly limit: number;
}

/** Response times in ms, shares from 0 to 1, rates a second. */
export type ObjectiveFigure = keyof typeof FIGURES;

export type Comparison = "<" | "<=" | ">" | ">=";

/** What objectives are judged by. */
export type JudgedReport = Pick<LoadReport, "requests" | "success" | "rate" | "throughput"> & {
  readonly millrace: Pick<LoadFacts, "starts" | "response">;
};

interface FigureFacts {
  readonly unit: "time" | "share" | "rate";
  /** @returns undefined where nothing was measured, or nothing that counts: no objective is met by that. */
  valueOf(report: JudgedReport): number | undefined;
}

const FIGURES = {
  min: responseTime("min_ms"),
  mean: responseTime("mean_ms"),
  p50: responseTime("p50_ms"),
  p90: responseTime("p90_ms"),
  p95: responseTime("p95_ms"),
  p99: responseTime("p99_ms"),
  "p99.9": responseTime("p999_ms"),
  "p99.99": responseTime("p9999_ms"),
  max: responseTime("max_ms"),
  errors: { unit: "share", valueOf: errorShare },
  success: { unit: "share", valueOf: successShare },
  throughput: rateOf("throughput"),
  rate: rateOf("rate"),
} as const satisfies Record<string, FigureFacts>;

/** Names of all figures. */
export const OBJECTIVE_FIGURES = Object.keys(FIGURES) as readonly ObjectiveFigure[];

export function unitOf(figure: ObjectiveFigure): FigureFacts["unit"] {
  return FIGURES[figure].unit;
}

export function judgeObjective(objective: Objective, report: JudgedReport): ObjectiveResult {
  const { text, figure, limit } = objective;
  const facts: FigureFacts = FIGURES[figure];
  const value = facts.valueOf(report);
  if (value === undefined) {
    const found = report.requests > 0 ? "no request succeeded" : "nothing measured";
    return { objective: text, met: false, found };
  }
  return { objective: text, met: isMet(value, objective), found: foundText(value, facts, limit) };
}

function isMet(value: number, { comparison, limit }: Objective): boolean {
  switch (comparison) {
    case "<":
      return value < limit;
    case "<=":
      return value <= limit;
    case ">":
      return value > limit;
    case ">=":
      return value >= limit;
  }
}

/** Of all answers: but where every one is a failure, how fast that came says nothing of the service. */
function responseTime(key: keyof Spread): FigureFacts & { readonly unit: "time" } {
  return {
    unit: "time",
    valueOf: ({ requests, success, millrace: { response } }) =>
      response.count === 0 || (requests > 0 && success === 0) ? undefined : response[key],
  };
}

function rateOf(key: "throughput" | "rate"): FigureFacts & { readonly unit: "rate" } {
  return {
    unit: "rate",
    valueOf: (report) => (startCount(report) === 0 ? undefined : report[key]),
  };
}

/** Of the starts that could be made: a dropped one got no answer either. */
function errorShare(report: JudgedReport): number | undefined {
  const starts = startCount(report);
  return starts === 0 ? undefined : (starts - successCount(report)) / starts;
}

function successShare(report: JudgedReport): number | undefined {
  const starts = startCount(report);
  return starts === 0 ? undefined : successCount(report) / starts;
}

function startCount({ requests, millrace }: JudgedReport): number {
  return requests + millrace.starts.dropped;
}

function successCount({ requests, success }: JudgedReport): number {
  return Math.round(success * requests);
}

const DIGITS_MIN = 4;
const DIGITS_MAX = 15;

/** As many digits as it takes to be on the side of the limit where the figure is. */
function foundText(value: number, { unit }: FigureFacts, limit: number): string {
  const factor = unit === "share" ? 100 : 1;
  const suffix = { time: "ms", share: "%", rate: "/s" }[unit];
  const shown = value * factor;
  const side = Math.sign(shown - limit * factor);
  for (let digits = DIGITS_MIN; ; digits++) {
    const rounded = Number(shown.toPrecision(digits));
    if (digits === DIGITS_MAX || Math.sign(rounded - limit * factor) === side) {
      return `${rounded}${suffix}`;
    }
  }
}
