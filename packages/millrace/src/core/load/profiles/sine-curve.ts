import type { RateCurve } from "./rate-curve.ts";

export interface Sine {
  readonly mean: number;
  /** At most the mean. */
  readonly amplitude: number;
  readonly periodMs: number;
}

/** Twice as many as a bisection to the last bit takes; Newton's method comes there in 3 to 5. */
const ROUNDS_MAX = 100;

/** A due time that is right to a picosecond. */
const TOLERANCE_MS = 1e-9;

/** A rate that swings about its mean, and begins there going up. */
export class SineCurve implements RateCurve {
  readonly #mean: number;
  readonly #amplitude: number;
  readonly #radiansPerMs: number;

  constructor({ mean, amplitude, periodMs }: Sine) {
    this.#mean = mean;
    this.#amplitude = amplitude;
    this.#radiansPerMs = (2 * Math.PI) / periodMs;
  }

  rateAt(atMs: number): number {
    return this.#mean + this.#amplitude * Math.sin(this.#radiansPerMs * atMs);
  }

  startsUntil(atMs: number): number {
    const swing =
      (this.#amplitude * (1 - Math.cos(this.#radiansPerMs * atMs))) / this.#radiansPerMs;
    return (this.#mean * atMs + swing) / 1000;
  }

  /** Newton's method, kept between two bounds that bisection draws together where the rate is near 0. */
  timeOf(starts: number): number {
    if (this.#mean === 0) return Infinity;
    const swingMax = (2 * this.#amplitude) / this.#radiansPerMs;
    let high = (starts * 1000) / this.#mean;
    let low = Math.max(0, high - swingMax / this.#mean);
    let atMs = (low + high) / 2;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const missing = starts - this.startsUntil(atMs);
      if (missing >= 0) low = atMs;
      if (missing <= 0) high = atMs;
      const newton = atMs + (missing * 1000) / this.rateAt(atMs);
      const next = newton > low && newton < high ? newton : (low + high) / 2;
      if (Math.abs(next - atMs) <= TOLERANCE_MS) return next;
      atMs = next;
    }
    return atMs;
  }
}
