import { batchMeans } from "../stats/batch-means.ts";
import type { CapacityStep, StepOutcome } from "./capacity.ts";
import type { LoadFacts, LoadReport, LoadWindow } from "./load-report.ts";
import type { Objective } from "./objective.ts";
import { isOversaturated } from "./over-saturation.ts";
import { spoiledBy } from "./spoiled-by.ts";
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

/** Of a step that met its objectives at another rate than it was to have. */
const UNREACHED = "the rate was not reached";

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
  const spoiled = spoiledBy(report.millrace, objectives, missed.length > 0);
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
    missed: missed.length === 0 && spoiled !== undefined ? [UNREACHED] : missed,
    isOversaturated: isGrowing,
    isSteady: isSteady(windows),
    spoiled,
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

function isOfErrors(objective: string): boolean {
  return /^(errors|success)\b/.test(objective);
}

function total(windows: readonly LoadWindow[], of: (window: LoadWindow) => number): number {
  return windows.reduce((sum, window) => sum + of(window), 0);
}
