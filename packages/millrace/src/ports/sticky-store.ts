import type { KeptArm } from "../core/experiment/unit-assigner.ts";

/** The arm of a unit, kept. */
export type StickyArm = KeptArm;

/** Which experiment of which service: `iris/rf-2026-11`. */
export type ExperimentKey = string;

/** What a store tells of what it could not do; requests are served as if it had nothing to keep. */
export type StickyTrouble =
  /** Arms that are not kept. */
  | {
      readonly kind: "lost";
      /** Too many wait to be written; as many are kept as may be; the one that was asked for longest ago made room. */
      readonly reason: "backlog" | "full" | "evicted";
      readonly count: number;
    }
  /** Nothing can be read or written for now; what is added waits, and it is tried again. Told once. */
  | { readonly kind: "failed"; readonly error: Error }
  /** It works again. */
  | { readonly kind: "recovered" };

/**
 * Keeps which unit has which arm, so that a change of weights moves nobody. Several processes use one store: what one of
 * them added is found by all after its `flush`. Nothing but `beginWriteThrough`, `flush` and `forget` ever fails, and only
 * they wait. Every implementation passes test/contract/sticky-store-contract.ts.
 */
export interface StickyStore {
  /** @param unitHash keyed hash, 32 hexadecimal digits. Takes some microseconds at most. */
  find(experiment: ExperimentKey, unitHash: string): StickyArm | undefined;
  /**
   * Keeps an arm, soon; the first that is kept of a unit stays until `replace`. Takes some microseconds at most; beyond
   * its bound it keeps nothing and tells that.
   * @returns false when another arm is known to be kept: `find` gives it.
   */
  add(experiment: ExperimentKey, unitHash: string, arm: StickyArm): boolean;
  /** Keeps another arm in place of one that the experiment has no longer. */
  replace(experiment: ExperimentKey, unitHash: string, arm: StickyArm): void;
  /** @returns when everything added so far is found by all. @throws when that cannot be. */
  flush(): Promise<void>;
  /**
   * Before a change of how units are divided: flushes, and from now on what is added is found by all at once, and nobody
   * relies on what was not there before. When every process has begun, none of them can change and miss an arm that
   * another gave before the change. Costs some 0.1 ms for each unit that is added.
   * @throws as `flush`; it has not begun then.
   */
  beginWriteThrough(): Promise<void>;
  /**
   * Once for each time it was begun: after the change, or when it is called off. It goes on for a second, until the other
   * processes have changed too.
   */
  endWriteThrough(): void;
  /** Forgets a unit in every experiment; other processes may know it for a second more. @throws when that cannot be. */
  forget(unitHash: string): Promise<void>;
  /** Flushes, when that can be. Nothing is kept afterwards. */
  close(): Promise<void>;
}
