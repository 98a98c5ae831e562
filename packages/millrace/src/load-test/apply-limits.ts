import type { CapacityReport } from "../core/load/capacity.ts";

/** Seconds of the units a rate may have in the configuration. */
const UNITS = [
  ["s", 1],
  ["m", 60],
  ["h", 3600],
] as const;

/** Sends the change to the control role, as `PUT /api/v1/overrides`. */
export type ChangeOverrides = (body: {
  readonly set: Readonly<Record<string, unknown>>;
  readonly reason: string;
}) => Promise<unknown>;

/** @returns why its limits are not to be trusted that far; undefined when they are. */
export function whyNotApplied(report: CapacityReport): string | undefined {
  const { outcome, rate, confirmations, refused } = report;
  if (outcome === "none" || !(rate > 0)) return "no rate met the objectives";
  if (outcome === "unfinished") return `${rate}/s was confirmed ${confirmations} times only`;
  if (outcome === "at_least") {
    return "what ended the search was not the service: its limit would be too low";
  }
  const isOwnRate = (refused["rate"] ?? 0) > 0;
  return isOwnRate
    ? "what was found is limits.rate itself: take it out, and look again, or each time it would fall by a fifth"
    : undefined;
}

/** Lines for the configuration file. */
export function limitLines(service: string, { limits }: CapacityReport): string {
  return `services:
  ${service}:
    limits:
      concurrency: ${limits.concurrency}
      rate: ${rateValue(limits.rate)}
`;
}

/** Sets the limits of a running service. @param change its answer is returned. */
export function applyLimits(
  service: string,
  report: CapacityReport,
  change: ChangeOverrides,
): Promise<unknown> {
  const { limits, rate, objectives } = report;
  return change({
    set: {
      [`services.${service}.limits.concurrency`]: limits.concurrency,
      [`services.${service}.limits.rate`]: rateValue(limits.rate),
    },
    reason: `load test: capacity ${rate}/s at ${objectives.join(", ")}`,
  });
}

/** Whole, in the largest unit that leaves at least two digits: `763/s`, `270/m`. Rounded down: it is a limit. */
function rateValue(perSecond: number): string {
  for (const [unit, seconds] of UNITS) {
    const amount = Math.floor(perSecond * seconds);
    if (amount >= 10) return `${amount}/${unit}`;
  }
  return `${Math.max(1, Math.floor(perSecond * 3600))}/h`;
}
