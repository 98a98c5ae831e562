import { batchMeans } from "../stats/batch-means.ts";
import type { CapacityStep, StepOutcome } from "./capacity.ts";
import type { LoadFacts, LoadProblem, LoadReport, LoadWindow, Spread } from "./load-report.ts";
import { judgeObjective, type Objective } from "./objective.ts";
import { isOversaturated } from "./over-saturation.ts";
import { isSteady } from "./steadiness.ts";

/** What of a report a step is judged by. */
export interface StepReport extends Pick<LoadReport, "errors"> {
  readonly millrace: Pick<
    LoadFacts,
    | "duration_ms"
    | "problems"
    | "starts"
    | "response"
    | "service"
    | "lag"
    | "window_ms"
    | "timeline"
    | "objectives"
    | "server"
  >;
}

/** Share of the starts that may fall out before the rate is another one than was asked for. */
const UNSENT_MAX = 0.01;

interface SeenMeanwhile {
  /** What the report was judged by. */
  readonly objectives: readonly Objective[];
  /** From its begin to its report, with the warm-up. */
  readonly tookMs: number;
  /** Requests under way, counted while it ran; absent: as the results have it. */
  readonly underWay?: readonly number[];
  /** It was ended because the queue grew; what is missing of its results cannot say so any more. */
  readonly isStopped?: boolean;
}

export function stepOutcome(
  step: CapacityStep,
  report: StepReport,
  { objectives, tookMs, underWay, isStopped = false }: SeenMeanwhile,
): StepOutcome {
  const { starts, response, service, server, duration_ms } = report.millrace;
  const windows = wholeWindows(report.millrace);
  const seconds = duration_ms / 1000;
  const failed = total(report.millrace.timeline, ({ failed }) => failed);
  // One client waits for its answer, so it cannot ask for too much; a service that gets slower is not steady.
  const isGrowing = step.phase !== "baseline" && (isStopped || isOversaturated(windows));
  const missed = missedOf(report, isGrowing);
  const samples = underWay ?? windows.map(({ under_way }) => under_way);
  const sampled = batchMeans(samples);
  const tried = starts.sent + starts.dropped;
  return {
    step,
    requests: starts.sent,
    tookMs,
    sentRate: seconds > 0 ? starts.sent / seconds : 0,
    goodput: seconds > 0 ? total(report.millrace.timeline, ({ ok }) => ok) / seconds : 0,
    p50Ms: response.p50_ms,
    p99Ms: response.p99_ms,
    meanMs: response.mean_ms,
    serviceMeanMs: service.mean_ms,
    errors: tried > 0 ? (failed + starts.dropped) / tried : 0,
    underWayMean: samples.length > 0 ? sampled.mean : 0,
    underWayError: samples.length > 1 ? sampled.standardError : 0,
    missed,
    isOversaturated: isGrowing,
    isSteady: isSteady(windows),
    spoiled: spoiledBy(report.millrace, objectives, isGrowing),
    server,
  };
}

/** Not the last one that an interruption has cut, nor those in which the last answers came. */
function wholeWindows({ timeline, window_ms, duration_ms }: StepReport["millrace"]) {
  return timeline.filter(({ from_ms }) => from_ms + window_ms <= duration_ms + 1);
}

function missedOf({ millrace, errors }: StepReport, isGrowing: boolean): readonly string[] {
  const missed = millrace.objectives
    .filter(({ met }) => !met)
    .map(({ objective, found }) => {
      const why = isOfErrors(objective) && errors[0] !== undefined ? ` (${errors[0]})` : "";
      return `${objective}: ${found}${why}`;
    });
  return isGrowing ? [...missed, "requests under way and latency kept growing"] : missed;
}

/**
 * What may have made a step miss besides the service. Latencies count from the due time, so a generator that comes late
 * makes them look worse than they are and never better: of a step that met its objectives only the rate is in doubt.
 *
 * A start without a free connection is no fault of the generator while latencies are missed too: a service that answers
 * in time takes few connections. Where they are met, more connections would have carried more.
 */
function spoiledBy(
  facts: StepReport["millrace"],
  objectives: readonly Objective[],
  isGrowing: boolean,
): string | undefined {
  const { problems, starts } = facts;
  const textOf = (wanted: LoadProblem["code"]): string | undefined =>
    problems.find(({ code }) => code === wanted)?.text;
  if (starts.due - starts.sent - starts.dropped > UNSENT_MAX * starts.due) return textOf("rate");
  const missed = facts.objectives.filter(({ met }) => !met);
  if (missed.length === 0 && !isGrowing) return undefined;
  if (isOfLag(facts, objectives)) return textOf("lag");
  const isOnlyErrors = !isGrowing && missed.every(({ objective }) => isOfErrors(objective));
  return textOf("cpu") ?? (isOnlyErrors ? textOf("dropped") : undefined);
}

/** What is sent late comes in bursts, and waits once more in the service. */
const LAG_COUNTS = 2;

/** Would the latencies have been met by a generator that is not late? */
function isOfLag(
  { response, lag, objectives, starts }: StepReport["millrace"],
  asked: readonly Objective[],
): boolean {
  const lateMs = LAG_COUNTS * lag.p99_ms;
  const punctual = Object.fromEntries(
    Object.entries(response).map(([key, value]) => [key, key === "count" ? value : value - lateMs]),
  ) as unknown as Spread;
  const report = { requests: 0, success: 0, rate: 0, throughput: 0 };
  return objectives
    .filter(({ met, objective }) => !met && !isOfErrors(objective))
    .every(({ objective: text }) => {
      const objective = asked.find((candidate) => candidate.text === text);
      const millrace = { starts, response: punctual };
      return objective !== undefined && judgeObjective(objective, { ...report, millrace }).met;
    });
}

function isOfErrors(objective: string): boolean {
  return /^(errors|success)\b/.test(objective);
}

function total(windows: readonly LoadWindow[], of: (window: LoadWindow) => number): number {
  return windows.reduce((sum, window) => sum + of(window), 0);
}
