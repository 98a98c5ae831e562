import type { CapacityReport, KneePoint, StepOutcome } from "./capacity.ts";
import type { CapacitySearch, SearchPlan, SearchState } from "./capacity-search.ts";
import { capacityNotes } from "./capacity-notes.ts";
import { littlesLaw } from "./littles-law.ts";
import type { RateTrials } from "./rate-trials.ts";
import { recommendedLimits } from "./recommended-limits.ts";

/** What the search was about. */
export type SearchedFacts = Pick<
  CapacityReport,
  | "name"
  | "started"
  | "command"
  | "protocol"
  | "targets"
  | "arrivals"
  | "seed"
  | "environment"
  | "objectives"
  | "took_ms"
>;

/** What a search has come to, at its end or where it was interrupted. */
export function capacityReport(
  search: CapacitySearch,
  plan: SearchPlan,
  facts: SearchedFacts,
): CapacityReport {
  const state = search.state();
  const { low, high } = state;
  return {
    ...facts,
    format: 1,
    outcome: state.end ?? "unfinished",
    precision: plan.precision,
    limited_by: limitedBy(search, plan, state),
    is_generator_bound: high?.isSpoiled === true,
    notes: capacityNotes(search, plan, state),
    one_client: oneClient(search.baseline),
    curve: search.outcomes.filter(({ step }) => step.phase !== "cool-down").map(kneePoint),
    refused: refusedBy(high?.missed ?? []),
    ...figuresOf(low, search.trials),
  };
}

/** What is stated of a rate, and the limits that follow from it. */
function figuresOf(low: RateTrials | undefined, trials: readonly RateTrials[]) {
  const { rate, confirmations, evidence } = low ?? { rate: 0, confirmations: 0, evidence: [] };
  const slowest = evidence.toSorted((a, b) => b.p99Ms - a.p99Ms)[0];
  return {
    rate,
    confirmations,
    interval: { low: rate, high: ownHigh(trials, rate) },
    littles_law: littlesLaw(evidence),
    client_p99_ms: slowest?.p99Ms ?? 0,
    server_p99_ms: slowest?.server?.p99_ms ?? null,
    limits: recommendedLimits(rate, serviceMeanMs(evidence)),
  };
}

function oneClient(baseline: StepOutcome | undefined): CapacityReport["one_client"] {
  if (baseline === undefined) return { rate: 0, p50_ms: 0, p99_ms: 0 };
  return { rate: baseline.sentRate, p50_ms: baseline.p50Ms, p99_ms: baseline.p99Ms };
}

/** The least rate above that failed for a reason that is the service's own. */
function ownHigh(trials: readonly RateTrials[], rate: number): number | null {
  const failed = trials
    .filter((trial) => trial.rate > rate && trial.verdict === "fails" && !trial.isSpoiled)
    .map((trial) => trial.rate);
  return failed.length === 0 ? null : Math.min(...failed);
}

function limitedBy(search: CapacitySearch, plan: SearchPlan, { end, high }: SearchState): string {
  if (high === undefined) {
    const missed = search.baseline?.missed ?? [];
    if (missed.length > 0) return `a single client: ${missed.join(", ")}`;
    if (end === "at_least") return `the highest rate that was allowed, ${plan.rateMax}/s`;
    return "the end of the search";
  }
  const last = high.missed.at(-1);
  if (high.isSpoiled) return `the generator: ${last?.spoiled ?? ""}`;
  return last?.missed.join(", ") ?? "";
}

function refusedBy(missed: readonly StepOutcome[]): Readonly<Record<string, number>> {
  const refused = new Map<string, number>();
  for (const { server } of missed) {
    for (const [reason, count] of Object.entries(server?.refused ?? {})) {
      refused.set(reason, (refused.get(reason) ?? 0) + count);
    }
  }
  return Object.fromEntries(refused);
}

function kneePoint(outcome: StepOutcome): KneePoint {
  const { step, missed, spoiled } = outcome;
  return {
    phase: step.phase,
    rate: step.phase === "baseline" ? outcome.sentRate : step.rate,
    goodput: outcome.goodput,
    p50_ms: outcome.p50Ms,
    p99_ms: outcome.p99Ms,
    errors: outcome.errors,
    met: missed.length === 0,
    spoiled: missed.length > 0 && spoiled !== undefined,
  };
}

function serviceMeanMs(steps: readonly StepOutcome[]): number {
  return steps.reduce((sum, step) => sum + step.serviceMeanMs, 0) / Math.max(1, steps.length);
}
