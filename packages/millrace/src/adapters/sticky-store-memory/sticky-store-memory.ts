import { LRUCache } from "lru-cache";
import type {
  ExperimentKey,
  StickyArm,
  StickyStore,
  StickyTrouble,
} from "../../ports/sticky-store.ts";

/** Most units of all experiments. */
const UNITS_MAX = 100_000;

export interface MemoryStickyStoreOptions {
  readonly onTrouble: (trouble: StickyTrouble) => void;
  /** Most units of all experiments, default 100,000, which take some 20 MiB. */
  readonly unitsMax?: number;
}

/**
 * Arms that last as long as the process: where there is no state folder. Beyond its bound, the unit that was asked for
 * longest ago makes room.
 */
export class MemoryStickyStore implements StickyStore {
  readonly #arms: LRUCache<string, StickyArm>;

  constructor({ onTrouble, unitsMax = UNITS_MAX }: MemoryStickyStoreOptions) {
    this.#arms = new LRUCache({
      max: unitsMax,
      dispose: (_arm, _key, reason) => {
        if (reason === "evict") onTrouble({ kind: "lost", reason: "evicted", count: 1 });
      },
    });
  }

  find(experiment: ExperimentKey, unitHash: string): StickyArm | undefined {
    return this.#arms.get(unitHash + experiment);
  }

  add(experiment: ExperimentKey, unitHash: string, arm: StickyArm): boolean {
    const key = unitHash + experiment;
    const kept = this.#arms.get(key);
    if (kept !== undefined) return kept.arm === arm.arm && kept.phase === arm.phase;
    this.#arms.set(key, copyOf(arm));
    return true;
  }

  replace(experiment: ExperimentKey, unitHash: string, arm: StickyArm): void {
    this.#arms.set(unitHash + experiment, copyOf(arm));
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
    for (const key of this.#arms.keys()) if (key.startsWith(unitHash)) this.#arms.delete(key);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#arms.clear();
    return Promise.resolve();
  }
}

/** Without whatever else the object has. */
function copyOf({ arm, phase, propensity }: StickyArm): StickyArm {
  return { arm, phase, propensity };
}
