import type { StepOutcome } from "./capacity.ts";
import {
  CONFIRMATIONS,
  type CapacitySearch,
  type SearchPlan,
  type SearchState,
} from "./capacity-search.ts";

/** Share of the requests a step should have; a few less change nothing. */
const REQUESTS_ENOUGH = 0.9;

/** What a reader has to know before relying on a capacity, each as a sentence without its stop. */
export function capacityNotes(
  search: CapacitySearch,
  plan: SearchPlan,
  state: SearchState,
): readonly string[] {
  return [
    unconfirmed(state),
    unbounded(state),
    fewRequests(plan, state),
    ...waverings(search),
    unsteady(state),
    unrecovered(search),
    ownLimits(state),
  ].filter((note) => note !== undefined);
}

function unconfirmed({ low, end }: SearchState): string | undefined {
  if (low === undefined || low.confirmations >= CONFIRMATIONS) return undefined;
  const why = isUnfinished(end) ? "the search ended before" : "it may waver";
  return `${rateText(low.rate)} was confirmed ${low.confirmations} of ${CONFIRMATIONS} times: ${why}`;
}

function unbounded({ low, high, end }: SearchState): string | undefined {
  if (!isUnfinished(end) || low === undefined || high !== undefined) return undefined;
  return "no rate was high enough to fail: the capacity is at least the one that is stated";
}

/** Of a search that is interrupted more would be wanted. */
function isUnfinished(end: SearchState["end"]): boolean {
  return end === undefined || end === "unfinished";
}

function fewRequests({ requestsMin }: SearchPlan, { low }: SearchState): string | undefined {
  const requests = low?.evidence.map((step) => step.requests) ?? [];
  const fewest = Math.min(...requests);
  if (requests.length === 0 || fewest >= REQUESTS_ENOUGH * requestsMin) return undefined;
  const counts = `${fewest.toLocaleString("en")} requests a step`;
  return `the highest percentile comes from ${counts} where ${requestsMin.toLocaleString("en")} would be enough: only longer steps say more`;
}

/** Rates that were missed, and held later. */
function waverings({ trials }: CapacitySearch): readonly string[] {
  return trials
    .filter(
      ({ held, missed, verdict }) => verdict === "holds" && held.length > 0 && missed.length > 0,
    )
    .map(({ rate, held, missed }) => {
      const tries = held.length + missed.length;
      return `${rateText(rate)} was held ${held.length} of ${tries} times (${missesText(missed)})`;
    });
}

function unsteady({ low }: SearchState): string | undefined {
  if (low?.isUnsteady !== true) return undefined;
  return `at ${rateText(low.rate)} throughput or latency drifted within a step, once or more`;
}

function unrecovered({ unrecovered: count }: CapacitySearch): string | undefined {
  if (count === 0) return undefined;
  const steps = count === 1 ? "a step" : `${count} steps`;
  return `after ${steps} the service did not come back to its latency at rest: what followed began under its load`;
}

/** Refusals of its own limits look like the end of a service, and are its configuration. */
function ownLimits({ high }: SearchState): string | undefined {
  const refusals = new Map<string, number>();
  for (const { server } of high?.missed ?? []) {
    for (const [reason, count] of Object.entries(server?.refused ?? {})) {
      if (count > 0) refusals.set(reason, (refusals.get(reason) ?? 0) + count);
    }
  }
  if (refusals.size === 0) return undefined;
  const texts = [...refusals].map(([reason, count]) => `${count.toLocaleString("en")} ${reason}`);
  return `above it the service itself refused requests (${texts.join(", ")}): what was found is the capacity within its limits`;
}

function missesText(missed: readonly StepOutcome[]): string {
  return missed.map((outcome) => outcome.missed.join(", ")).join("; ");
}

function rateText(rate: number): string {
  return `${rate}/s`;
}
