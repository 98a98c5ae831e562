/** The arm of a unit, kept. */
export interface StickyArm {
  readonly arm: string;
  /** Phase in which it was given. */
  readonly phase: number;
}

/** Which experiment of which service: `iris/rf-2026-11`. */
export type ExperimentKey = string;

/**
 * Keeps which unit has which arm, so that a change of weights moves nobody. Several processes use one store: what one of
 * them added is found by all after its `flush`. Every implementation passes test/contract/sticky-store-contract.ts.
 */
export interface StickyStore {
  /** @param unitHash keyed hash, 32 hexadecimal digits. Takes some microseconds at most. */
  find(experiment: ExperimentKey, unitHash: string): StickyArm | undefined;
  /**
   * Keeps an arm, soon; the first that is kept of a unit stays until `replace`. Takes some microseconds at most and never throws;
   * beyond its bound it keeps nothing and counts that.
   */
  add(experiment: ExperimentKey, unitHash: string, arm: StickyArm): void;
  /** Keeps another arm in place of one of a phase that is over. */
  replace(experiment: ExperimentKey, unitHash: string, arm: StickyArm): void;
  /** @returns when everything added so far is found by all. */
  flush(): Promise<void>;
  /** Forgets a unit in every experiment. */
  forget(unitHash: string): Promise<void>;
  close(): Promise<void>;
}
