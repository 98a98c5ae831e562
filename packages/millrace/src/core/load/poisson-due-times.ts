import type { DueTimes } from "./arrivals.ts";
import type { DueTimesShare } from "./due-times-plan.ts";
import { createRateCurve } from "./profiles/create-rate-curve.ts";
import type { RateCurve } from "./profiles/rate-curve.ts";
import type { RateProfilePlan } from "./rate-profile.ts";
import { SeededDraws } from "./seeded-draws.ts";

/**
 * Independent starts at the rates of a profile: exponential gaps in counts of starts, which the profile turns into
 * times. Each worker draws the gaps of all of them, so the times are the same for any number of workers.
 */
export class PoissonDueTimes implements DueTimes {
  readonly #curve: RateCurve;
  readonly #draws: SeededDraws;
  readonly #workers: number;
  readonly #warmupRate: number;
  readonly #durationMs: number;
  #seq: number;
  /** How many starts would have been due on average; negative in the warm-up. */
  #starts: number;
  /** Gaps between the start before and this worker's next one. */
  #gaps: number;
  #dueMs = -Infinity;

  constructor(profile: RateProfilePlan, share: DueTimesShare) {
    this.#curve = createRateCurve(profile, share.durationMs);
    this.#draws = new SeededDraws(share.seed, "gap");
    this.#workers = share.workers;
    this.#warmupRate = this.#curve.rateAt(0);
    this.#durationMs = share.durationMs;
    this.#starts = (-this.#warmupRate * share.warmupMs) / 1000;
    this.#seq = share.worker - share.workers;
    this.#gaps = share.worker + 1;
  }

  get seq(): number {
    return this.#seq;
  }

  next(): number {
    this.#seq += this.#workers;
    for (let gap = 0; gap < this.#gaps; gap++) this.#starts -= Math.log(1 - this.#draws.next());
    this.#gaps = this.#workers;
    const dueMs =
      this.#starts < 0
        ? (this.#starts * 1000) / this.#warmupRate
        : this.#curve.timeOf(this.#starts);
    if (dueMs >= this.#durationMs) return Infinity;
    if (dueMs > this.#dueMs) this.#dueMs = dueMs;
    return this.#dueMs;
  }
}
