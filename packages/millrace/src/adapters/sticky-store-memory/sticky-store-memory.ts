import { LRUCache } from "lru-cache";
import { SharedArms, type ExperimentArm } from "../../core/experiment/shared-arms.ts";
import type {
  ExperimentKey,
  StickyArm,
  StickyStore,
  StickyTrouble,
} from "../../ports/sticky-store.ts";

/** Most units. */
const UNITS_MAX = 100_000;

export interface MemoryStickyStoreOptions {
  readonly onTrouble: (trouble: StickyTrouble) => void;
  /** Most units, default 100,000, which take some 20 MiB. */
  readonly unitsMax?: number;
}

/**
 * Arms that last as long as the process: where there is no state folder. Beyond its bound, the unit that was asked for
 * longest ago makes room.
 */
export class MemoryStickyStore implements StickyStore {
  /** One entry for each experiment of the unit. */
  readonly #units: LRUCache<string, readonly ExperimentArm[]>;
  readonly #shared = new SharedArms();

  constructor({ onTrouble, unitsMax = UNITS_MAX }: MemoryStickyStoreOptions) {
    this.#units = new LRUCache({
      max: unitsMax,
      dispose: (arms, _unit, reason) => {
        if (reason === "evict") onTrouble({ kind: "lost", reason: "evicted", count: arms.length });
      },
    });
  }

  find(experiment: ExperimentKey, unitHash: string): StickyArm | undefined {
    const arms = this.#units.get(unitHash);
    if (arms === undefined) return undefined;
    for (const one of arms) if (one.experiment === experiment) return one.arm;
    return undefined;
  }

  add(experiment: ExperimentKey, unitHash: string, arm: StickyArm): boolean {
    const kept = this.find(experiment, unitHash);
    if (kept !== undefined) return kept.arm === arm.arm && kept.phase === arm.phase;
    this.replace(experiment, unitHash, arm);
    return true;
  }

  replace(experiment: ExperimentKey, unitHash: string, arm: StickyArm): void {
    const shared = this.#shared.of(experiment, arm);
    const others = this.#units.get(unitHash)?.filter((one) => one.experiment !== experiment);
    this.#units.set(unitHash, others === undefined ? [shared] : [...others, shared]);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  beginWriteThrough(): Promise<void> {
    return Promise.resolve();
  }

  endWriteThrough(): void {
    // What is added is found at once anyway.
  }

  forget(unitHash: string): Promise<void> {
    this.#units.delete(unitHash);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#units.clear();
    return Promise.resolve();
  }
}
