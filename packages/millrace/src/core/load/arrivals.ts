import type { RateProfilePlan } from "./rate-profile.ts";

/** When requests are started. */
export type ArrivalsPlan =
  /** At times that nothing which happens changes: an open loop. */
  | {
      readonly kind: "open";
      readonly profile: RateProfilePlan;
      /** `poisson`: independent starts at the rates of the profile. */
      readonly spacing: "constant" | "poisson";
    }
  /** Each client starts its next request when it has thought about the answer to its last one. */
  | { readonly kind: "closed"; readonly clients: number; readonly thinkMs: number }
  /** At recorded times, in ms since the first one, rising; the n-th start sends the n-th target. */
  | { readonly kind: "times"; readonly timesMs: Float64Array };

/** Due times of the starts that fall to one worker. */
export interface DueTimes {
  /**
   * Number of the start that comes next, over all workers: worker w of W has w, w + W, w + 2W, …
   * It is that of the start whose time `next` has last returned.
   */
  readonly seq: number;
  /** @returns ms since the begin of the measured time, never falling; negative in the warm-up; Infinity after the last one. */
  next(): number;
}
