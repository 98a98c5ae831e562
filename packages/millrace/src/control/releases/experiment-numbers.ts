import type {
  Decision,
  ExperimentAnalysis,
  MetricReport,
} from "../../core/experiment/experiment-report.ts";
import { metricWords } from "../../core/experiment/metric-words.ts";
import type { RampNumbers } from "../../core/release/ramp-look.ts";
import type { RampState } from "../../core/release/ramp-state.ts";

/** Is anybody exposed in this state, so that the log may have something new to say? */
export function isExposed(ramp: RampState): boolean {
  if (ramp.kind === "completed") return ramp.winner === undefined;
  return ramp.kind === "running" || ramp.kind === "paused";
}

/** What a ramp looks at. */
export function numbersOf(analysis: ExperimentAnalysis): RampNumbers {
  const { window, decision, arms, lastPredictionMs, metrics } = analysis;
  return {
    untilMs: window.untilMs,
    decision,
    units: arms.map(({ arm, units }) => ({ arm, count: units })),
    lastPredictionMs,
    blind: metrics.filter(isOfRequests).flatMap(blindWords),
  };
}

/** Only these see every unit at once: what is reported of units comes as late as its window says. */
function isOfRequests({ role, source }: MetricReport): boolean {
  return role === "guardrail" && (source.kind === "errors" || source.kind === "slow");
}

function blindWords(metric: MetricReport): readonly string[] {
  const blind = metric.comparisons.filter(({ state }) => state === "no_data");
  return blind.map((comparison) => metricWords(metric, comparison));
}

/** A decision as its event names it: `decision: ship rf`. */
export function nameOfDecision(decision: Decision): string {
  switch (decision.kind) {
    case "ship":
      return `decision: ship ${decision.arm}`;
    case "inconclusive":
      return `decision: inconclusive (${decision.reason.replaceAll("_", " ")})`;
    case "rollback":
    case "keep_running":
      return `decision: ${decision.kind.replace("_", " ")}`;
  }
}
