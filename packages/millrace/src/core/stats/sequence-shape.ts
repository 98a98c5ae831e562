export interface SequentialOptions {
  /** Error probability over all looks together, between 0 and 1. */
  readonly alpha: number;
  /**
   * Units of both arms at which the interval is narrowest next to what it could be, default 5,000. Set it before the first
   * look and leave it: an interval tuned to the data holds nothing.
   */
  readonly unitsTuned?: number;
}

/** Where the interval is narrowest when nobody says otherwise. */
const UNITS_TUNED = 5_000;

/**
 * ρ = √((−2 ln α + ln(−2 ln α + 1)) / N*): the parameter that makes a confidence sequence narrowest at N* units
 * (I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy, A. Ramdas, Annals of Statistics 52, 2024, appendix B.2).
 */
export function sequenceShape({ alpha, unitsTuned = UNITS_TUNED }: SequentialOptions): number {
  const twice = -2 * Math.log(alpha);
  return Math.sqrt((twice + Math.log(twice + 1)) / unitsTuned);
}
