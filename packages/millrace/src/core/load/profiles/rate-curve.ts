/** A rate over the measured time, which begins at 0. */
export interface RateCurve {
  /** Starts a second at this time. */
  rateAt(atMs: number): number;
  /** Starts due before this time: the integral of the rate; a fraction where one is on its way. */
  startsUntil(atMs: number): number;
  /**
   * The inverse: when so many starts have been due and the next one is. Where the rate is 0 for a while, the end of that.
   * @returns ms; Infinity where it never comes to that.
   */
  timeOf(starts: number): number;
}
