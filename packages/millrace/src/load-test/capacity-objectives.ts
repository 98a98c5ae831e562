import { unitOf, type Objective } from "../core/load/objective.ts";
import { LoadInputError } from "./load-input-error.ts";
import { parseObjectives, withErrorLimit } from "./read-objectives.ts";

/** Where nobody says what is too slow: so many times the p99 of one client, or this, whatever is more. */
const SLOWER_DEFAULT = 10;
const LATENCY_MS_DEFAULT = 50;

/** Requests above the percentile that an objective names, and failures at the share it allows. */
const ABOVE_PERCENTILE = 100;
const FAILURES = 10;

/** Of objectives that say nothing of rare events. */
const REQUESTS_MIN = 1_000;

/** Share of requests that are above a figure of latency. */
const ABOVE: Readonly<Record<string, number>> = {
  p90: 0.1,
  p95: 0.05,
  p99: 0.01,
  "p99.9": 0.001,
  "p99.99": 0.0001,
  max: 0.0001,
};

/**
 * What every rate has to meet, as far as it is known before one client was measured.
 * @param asked empty: the default ones.
 * @throws LoadInputError when a higher rate cannot be what makes one of them fail.
 */
export function capacityObjectives(asked: readonly Objective[]): readonly Objective[] {
  for (const objective of asked) checkDirection(objective);
  return withErrorLimit(asked);
}

/** What is too slow where nobody said it. @param p99Ms of one client. */
export function defaultLatency(p99Ms: number): Objective {
  const limitMs = Math.max(LATENCY_MS_DEFAULT, SLOWER_DEFAULT * p99Ms);
  const [objective] = parseObjectives(`p99<${Number(limitMs.toPrecision(2))}ms`);
  return objective as Objective;
}

/** Requests a step should have, so that what the objectives are about happens often enough in it. */
export function requestsNeeded(objectives: readonly Objective[]): number {
  return Math.max(REQUESTS_MIN, ...objectives.map(requestsFor));
}

function requestsFor({ figure, limit }: Objective): number {
  const above = ABOVE[figure];
  if (above !== undefined) return Math.round(ABOVE_PERCENTILE / above);
  const allowed = figure === "errors" ? limit : figure === "success" ? 1 - limit : 0;
  return allowed > 0 ? Math.round(FAILURES / allowed) : 0;
}

function checkDirection({ text, figure, comparison }: Objective): void {
  const unit = unitOf(figure);
  if (unit === "rate") {
    throw new LoadInputError(
      `--slo: expected latencies and errors with --find-capacity, which looks for the rate, found ${text}`,
    );
  }
  const isUpper = comparison === "<" || comparison === "<=";
  if (isUpper === (figure !== "success")) return;
  throw new LoadInputError(
    `--slo: expected a limit that more load exceeds with --find-capacity, like p99<50ms, found ${text}`,
  );
}
