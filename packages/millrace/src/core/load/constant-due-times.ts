import type { DueTimes } from "./arrivals.ts";
import type { DueTimesShare } from "./due-times-plan.ts";
import { createRateCurve } from "./profiles/create-rate-curve.ts";
import type { RateCurve } from "./profiles/rate-curve.ts";
import type { RateProfilePlan } from "./rate-profile.ts";

/** Rounding must not make a start of what ends a run: 30 s at 100/3 a second are 1,000 starts. */
const COUNT_TOLERANCE = 1e-6;

/**
 * Starts as evenly spaced as the profile lets them be. The first measured one is due at 0, whatever the warm-up is, so a
 * constant rate over whole seconds has exactly rate × seconds starts.
 */
export class ConstantDueTimes implements DueTimes {
  readonly #curve: RateCurve;
  readonly #workers: number;
  readonly #warmupRate: number;
  readonly #warmupStarts: number;
  readonly #starts: number;
  #seq: number;
  #dueMs = -Infinity;

  constructor(profile: RateProfilePlan, share: DueTimesShare) {
    this.#curve = createRateCurve(profile, share.durationMs);
    this.#workers = share.workers;
    this.#warmupRate = this.#curve.rateAt(0);
    this.#warmupStarts = Math.floor((this.#warmupRate * share.warmupMs) / 1000 + COUNT_TOLERANCE);
    this.#starts =
      share.durationMs === Infinity
        ? Infinity
        : Math.ceil(this.#curve.startsUntil(share.durationMs) - COUNT_TOLERANCE);
    this.#seq = share.worker - share.workers;
  }

  get seq(): number {
    return this.#seq;
  }

  next(): number {
    this.#seq += this.#workers;
    const starts = this.#seq - this.#warmupStarts;
    if (starts >= this.#starts) return Infinity;
    const dueMs = starts < 0 ? (starts * 1000) / this.#warmupRate : this.#curve.timeOf(starts);
    // An inverse that is approached may be off by its tolerance.
    if (dueMs > this.#dueMs) this.#dueMs = dueMs;
    return this.#dueMs;
  }
}
