import type { LoadFacts, LoadProblem, Spread } from "./load-report.ts";
import { judgeObjective, unitOf, type Objective } from "./objective.ts";

export type GeneratorView = Pick<LoadFacts, "problems" | "starts" | "response" | "lag">;

/** Share of the starts that may fall out before the rate is another one than was asked for. */
const UNSENT_MAX = 0.01;

/** Lags that a request sent late costs: what it waited, and what it waits again among those that come with it. */
const LAG_COUNTS = 2;

/**
 * Why the generator, and not the service, may be what ended a step. Latencies count from the due time, so a generator that
 * comes late makes them look worse than they are and never better: of a step that met its objectives only the rate is in
 * doubt. One that missed them is spoiled when it would have met them without the lag.
 *
 * A start without a free connection is no fault of the generator while latencies are missed too: a service that answers
 * in time takes few connections. Where they are met, more connections would have carried more.
 *
 * @returns undefined when it was the service.
 */
export function spoiledBy(
  { problems, starts, response, lag }: GeneratorView,
  objectives: readonly Objective[],
  isMissed: boolean,
): string | undefined {
  const textOf = (wanted: LoadProblem["code"]): string | undefined =>
    problems.find(({ code }) => code === wanted)?.text;
  if (starts.due - starts.sent - starts.dropped > UNSENT_MAX * starts.due) return textOf("rate");
  if (!isMissed) return undefined;
  const isFast = meetsLatencies(response, objectives);
  const isFastIfPunctual = meetsLatencies(earlier(response, LAG_COUNTS * lag.p99_ms), objectives);
  return (
    (isFastIfPunctual ? textOf("lag") : undefined) ??
    textOf("cpu") ??
    (isFast ? textOf("dropped") : undefined)
  );
}

function meetsLatencies(response: Spread, objectives: readonly Objective[]): boolean {
  const starts = { due: 0, sent: 0, dropped: 0, unanswered: 0 };
  const report = {
    requests: 0,
    success: 0,
    rate: 0,
    throughput: 0,
    millrace: { starts, response },
  };
  return objectives
    .filter(({ figure }) => unitOf(figure) === "time")
    .every((objective) => judgeObjective(objective, report).met);
}

function earlier(spread: Spread, byMs: number): Spread {
  const { count, ...figures } = spread;
  const moved = Object.entries(figures).map(([key, ms]) => [key, ms - byMs] as const);
  return { ...spread, ...Object.fromEntries(moved), count };
}
