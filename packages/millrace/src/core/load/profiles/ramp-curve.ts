import type { RateCurve } from "./rate-curve.ts";

/** Straight from one rate to another over the whole time, which is finite. */
export class RampCurve implements RateCurve {
  readonly #from: number;
  /** Starts a second more, per ms. */
  readonly #slope: number;

  constructor(from: number, to: number, durationMs: number) {
    this.#from = from;
    this.#slope = (to - from) / durationMs;
  }

  rateAt(atMs: number): number {
    return this.#from + this.#slope * atMs;
  }

  startsUntil(atMs: number): number {
    return ((this.#from + (this.#slope * atMs) / 2) * atMs) / 1000;
  }

  /** The root of the quadratic that does not cancel where the slope is small, and is the chord's where it is 0. */
  timeOf(starts: number): number {
    if (starts === 0) return 0;
    const squared = this.#from ** 2 + 2000 * this.#slope * starts;
    return squared < 0 ? Infinity : (2000 * starts) / (this.#from + Math.sqrt(squared));
  }
}
