import { LRUCache } from "lru-cache";
import type { StickyArm } from "../../ports/sticky-store.ts";
import { SharedArms } from "./shared-arms.ts";

/** Units whose arms are remembered, those that were asked for last: some 20 MiB. */
const ARMS_MAX = 100_000;

/** Units that are remembered not to have one. */
const MISSES_MAX = 50_000;

/** Age at which they are no longer believed, should they be wrong against all expectation. */
const MISSES_MS = 10_000;

/**
 * What one process remembers of the file, by unit and experiment.
 *
 * That a unit has no arm is remembered too, because most units have none while the coverage is low. Another process gives
 * it one only when it divides units in another way; before any process does so, all forget what they missed.
 */
export class RememberedUnits {
  readonly #arms = new LRUCache<string, StickyArm>({ max: ARMS_MAX });
  readonly #shared = new SharedArms();
  readonly #misses = new Set<string>();
  #missesUntilMs = 0;

  get(key: string): StickyArm | undefined {
    return this.#arms.get(key);
  }

  isMissing(key: string): boolean {
    return this.#misses.has(key);
  }

  /** @returns the arm, as one object for all units that have it. */
  set(key: string, arm: StickyArm): StickyArm {
    const shared = this.#shared.of(arm);
    this.#arms.set(key, shared);
    this.#misses.delete(key);
    return shared;
  }

  miss(key: string): void {
    if (this.#misses.size >= MISSES_MAX) this.#misses.clear();
    this.#misses.add(key);
  }

  /** The file has to be asked about it again. */
  delete(key: string): void {
    this.#arms.delete(key);
    this.#misses.delete(key);
  }

  deleteUnit(unitHash: string): void {
    for (const key of this.#arms.keys()) if (key.startsWith(unitHash)) this.#arms.delete(key);
  }

  /** To be called from time to time. */
  age(nowMs: number): void {
    if (nowMs < this.#missesUntilMs) return;
    this.#misses.clear();
    this.#missesUntilMs = nowMs + MISSES_MS;
  }

  clear(): void {
    this.#arms.clear();
    this.#misses.clear();
  }
}
