import type { DueTimes } from "./arrivals.ts";
import type { DueTimesShare } from "./due-times-plan.ts";

/** Starts at recorded times: each number is that of its time, so that it finds the request that came then. */
export class RecordedDueTimes implements DueTimes {
  readonly #timesMs: Float64Array;
  readonly #durationMs: number;
  readonly #workers: number;
  #seq: number;

  constructor(timesMs: Float64Array, share: DueTimesShare) {
    this.#timesMs = timesMs;
    this.#durationMs = share.durationMs;
    this.#workers = share.workers;
    this.#seq = share.worker - share.workers;
  }

  get seq(): number {
    return this.#seq;
  }

  next(): number {
    this.#seq += this.#workers;
    const dueMs = this.#timesMs[this.#seq];
    return dueMs === undefined || dueMs >= this.#durationMs ? Infinity : dueMs;
  }
}
