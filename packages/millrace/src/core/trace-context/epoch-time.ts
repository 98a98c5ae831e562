import type { Clock } from "../clock.ts";

/** A difference beyond it is the wall clock being set, and not its whole milliseconds. */
const JUMP_MS = 2;

/**
 * Turns times of the monotonic clock into milliseconds since 1970, finer than the wall clock tells them: spans of one
 * request, and of two programs on one machine, must not begin before what they are a part of.
 *
 * The wall clock leaves out what is below a millisecond, so it is never ahead of the time it tells: of all distances
 * between the clocks that were seen, the largest is nearest to the truth.
 */
export class EpochTime {
  readonly #clock: Clock;
  #distanceMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param nowMs a time of `clock.nowMs`. */
  at(nowMs: number): number {
    const seenMs = this.#clock.wallMs() - this.#clock.nowMs();
    const isSetBack = seenMs < this.#distanceMs - JUMP_MS;
    if (seenMs > this.#distanceMs || isSetBack) this.#distanceMs = seenMs;
    return nowMs + this.#distanceMs;
  }
}
