import { analyseExperiment } from "../../analysis/analyse-experiment.ts";
import { analyseShadow } from "../../analysis/analyse-shadow.ts";
import type { QueryEngine, QueryOrder } from "../../ports/query-engine.ts";
import type { Analyses } from "./analyses.ts";

/** Analyses by queries of the prediction log; undefined where there is none. */
export function createAnalyses(queries: QueryEngine | undefined): Analyses | undefined {
  if (queries === undefined) return undefined;
  return {
    experiment: ({ service, config, sinceMs, untilMs }, signal) => {
      const order = { service, experiment: config, sinceMs, nowMs: untilMs };
      return analyseExperiment(endedBy(queries, signal), order);
    },
    shadow: ({ service, config, sinceMs, untilMs }, signal) => {
      const order = { service, shadow: config, sinceMs, nowMs: untilMs };
      return analyseShadow(endedBy(queries, signal), order);
    },
  };
}

/** The engine, with one signal for all that is asked of it. */
function endedBy(queries: QueryEngine, signal: AbortSignal): QueryEngine {
  return {
    query: (order: QueryOrder) => queries.query(order, signal),
    close: () => Promise.resolve(),
  };
}
