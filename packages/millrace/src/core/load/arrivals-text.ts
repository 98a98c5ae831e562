import type { ArrivalsPlan } from "./arrivals.ts";
import type { RateProfilePlan } from "./rate-profile.ts";

/** Arrivals in words: `500/s, constant`. */
export function arrivalsText(arrivals: ArrivalsPlan): string {
  switch (arrivals.kind) {
    case "open":
      return `${profileText(arrivals.profile)}, ${arrivals.spacing === "poisson" ? "Poisson" : "constant"}`;
    case "closed": {
      const think = arrivals.thinkMs > 0 ? `${arrivals.thinkMs} ms after` : "right after";
      return `${arrivals.clients} clients in turn, each next request ${think} the answer`;
    }
    case "times": {
      const { timesMs } = arrivals;
      const lastMs = timesMs.at(-1) ?? 0;
      return `${timesMs.length} recorded starts in ${(lastMs / 1000).toFixed(1)} s`;
    }
  }
}

function profileText(profile: RateProfilePlan): string {
  switch (profile.kind) {
    case "constant":
      return rate(profile.rate);
    case "ramp":
      return `${rate(profile.from)} rising to ${rate(profile.to)}`;
    case "step":
      return profile.steps
        .map((step) => `${rate(step.rate)} from ${seconds(step.fromMs)}`)
        .join(", ");
    case "sine":
      return `${rate(profile.mean)} ± ${rate(profile.amplitude)} every ${seconds(profile.periodMs)}`;
    case "spike":
      return `${rate(profile.base)} with ${rate(profile.peak)} at ${seconds(profile.atMs)} for ${seconds(profile.forMs)}`;
  }
}

function rate(perSecond: number): string {
  return `${Number(perSecond.toFixed(3))}/s`;
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(3))} s`;
}
