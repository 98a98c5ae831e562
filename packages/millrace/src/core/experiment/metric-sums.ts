/** Sums over the units of one arm in one phase: y is what a unit counts as, x what stands beside it. */
export interface UnitSums {
  /** Units, those that count as nothing included. */
  readonly units: number;
  /** Σy */
  readonly y: number;
  /** Σx: of a ratio its denominator, else what the unit counted as before it was exposed. */
  readonly x: number;
  /** Σy² */
  readonly yy: number;
  /** Σx² */
  readonly xx: number;
  /** Σxy */
  readonly xy: number;
}

/** What is to be known of a metric in one phase. */
export interface PhaseSums {
  readonly phase: number;
  /** One for each arm, in their order. */
  readonly arms: readonly UnitSums[];
}
