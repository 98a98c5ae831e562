import type { ArrivalsPlan } from "../core/load/arrivals.ts";
import type { RateProfilePlan } from "../core/load/rate-profile.ts";

/** Starts a second that one thread holds with room to spare. */
const STARTS_PER_THREAD = 5_000;

const CLIENTS_PER_THREAD = 64;

/**
 * Threads that arrivals need, of as many as the machine can give: one too many takes its core from the server, where
 * that runs here too.
 */
export function threadCount(arrivals: ArrivalsPlan, coreCount: number): number {
  const needed =
    arrivals.kind === "closed"
      ? arrivals.clients / CLIENTS_PER_THREAD
      : peakRate(arrivals) / STARTS_PER_THREAD;
  return Math.max(1, Math.min(Math.ceil(needed), coreCount - 1));
}

function peakRate(arrivals: Exclude<ArrivalsPlan, { kind: "closed" }>): number {
  if (arrivals.kind === "open") return peakOf(arrivals.profile);
  const { timesMs } = arrivals;
  const seconds = Math.max(1, (timesMs.at(-1) ?? 0) / 1000);
  return timesMs.length / seconds;
}

function peakOf(profile: RateProfilePlan): number {
  switch (profile.kind) {
    case "constant":
      return profile.rate;
    case "ramp":
      return Math.max(profile.from, profile.to);
    case "step":
      return Math.max(...profile.steps.map(({ rate }) => rate));
    case "sine":
      return profile.mean + profile.amplitude;
    case "spike":
      return Math.max(profile.base, profile.peak);
  }
}
