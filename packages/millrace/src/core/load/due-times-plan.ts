import type { ArrivalsPlan } from "./arrivals.ts";

export interface DueTimesPlan extends DueTimesShare {
  /** Closed arrivals have no due times: an answer decides when the next request starts. */
  readonly arrivals: Exclude<ArrivalsPlan, { readonly kind: "closed" }>;
}

/** What part of the arrivals, over what time. */
export interface DueTimesShare {
  /** From 0. */
  readonly worker: number;
  readonly workers: number;
  /** The profile's first rate holds in it; recorded times have no warm-up. */
  readonly warmupMs: number;
  /** Of the measured time; may be Infinity. */
  readonly durationMs: number;
  readonly seed: number;
}
