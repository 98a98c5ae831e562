/** A range that holds the true value with the confidence it was made for. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A number with how far it can be trusted. */
export interface Estimate {
  readonly value: number;
  readonly interval: Interval;
}

/** Share of such intervals that hold the true value, where nobody says otherwise. */
export const CONFIDENCE = 0.95;
