import type { Clock } from "../clock.ts";

/** Latest calls that are looked at. */
const SAMPLES_MAX = 256;

/** Fewer say nothing. */
const SAMPLES_MIN = 20;

/** When the last call is older than this, nothing is known: whoever is slow now may be quick then. */
const FRESH_MS = 10_000;

/** The quantiles are worked out again after so many calls. */
const SORT_EVERY = 16;

/** What calls to one place took lately. */
export class LatencyWindow {
  readonly #clock: Clock;
  /** Milliseconds; a ring that is filled from the front. */
  readonly #samples = new Float64Array(SAMPLES_MAX);
  #sorted = new Float64Array(0);
  #count = 0;
  #sinceSorted = 0;
  #lastMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  record(tookMs: number): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#lastMs > FRESH_MS) this.#forget();
    this.#samples[this.#count % SAMPLES_MAX] = tookMs;
    this.#count++;
    this.#sinceSorted++;
    this.#lastMs = nowMs;
  }

  /**
   * In milliseconds, of the latest calls. Undefined when fewer than 20 are known, or none in the last 10 seconds.
   * @param share of the calls that were at least as quick, 0 to 1: 0.95 is the 95th percentile.
   */
  quantileMs(share: number): number | undefined {
    if (this.#count < SAMPLES_MIN || this.#clock.nowMs() - this.#lastMs > FRESH_MS)
      return undefined;
    if (this.#sinceSorted >= SORT_EVERY || this.#sorted.length === 0) this.#sort();
    const index = Math.ceil(share * this.#sorted.length) - 1;
    return this.#sorted[Math.max(0, index)];
  }

  #sort(): void {
    this.#sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES_MAX)).sort();
    this.#sinceSorted = 0;
  }

  #forget(): void {
    this.#count = 0;
    this.#sinceSorted = 0;
    this.#sorted = new Float64Array(0);
  }
}
