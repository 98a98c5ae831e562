import { LRUCache } from "lru-cache";
import { SharedArms, type ExperimentArm } from "../../core/experiment/shared-arms.ts";
import type { ExperimentKey, StickyArm } from "../../ports/sticky-store.ts";

/** Units whose arms are remembered, those that were asked for last: some 20 MiB. */
const UNITS_MAX = 100_000;

/** Units that are remembered not to have an arm, of all experiments. */
const MISSES_MAX = 50_000;

/** Age at which they are no longer believed, should they be wrong against all expectation. */
const MISSES_MS = 10_000;

/**
 * What one process remembers of the file. The text of a unit's hash is what it is found by, as it is: to put the
 * experiment beside it would cost more than all the rest.
 *
 * That a unit has no arm is remembered too, because most units have none while the coverage is low. Another process gives
 * it one only when it divides units in another way; before any process does so, all forget what they missed.
 */
export class RememberedUnits {
  /** One entry for each experiment of the unit. */
  readonly #units = new LRUCache<string, ExperimentArm[]>({ max: UNITS_MAX });
  readonly #shared = new SharedArms();
  readonly #misses = new Map<ExperimentKey, Set<string>>();
  #missCount = 0;
  #missesUntilMs = 0;

  find(experiment: ExperimentKey, unitHash: string): StickyArm | undefined {
    const arms = this.#units.get(unitHash);
    if (arms === undefined) return undefined;
    for (const one of arms) if (one.experiment === experiment) return one.arm;
    return undefined;
  }

  isMissing(experiment: ExperimentKey, unitHash: string): boolean {
    return this.#misses.get(experiment)?.has(unitHash) ?? false;
  }

  /** @returns the arm, as one object for all units that have it. */
  set(experiment: ExperimentKey, unitHash: string, arm: StickyArm): StickyArm {
    const shared = this.#shared.of(experiment, arm);
    const arms = this.#units.get(unitHash);
    const index = arms?.findIndex((one) => one.experiment === experiment) ?? -1;
    if (arms === undefined) this.#units.set(unitHash, [shared]);
    else if (index < 0) arms.push(shared);
    else arms[index] = shared;
    this.#misses.get(experiment)?.delete(unitHash);
    return shared.arm;
  }

  miss(experiment: ExperimentKey, unitHash: string): void {
    if (++this.#missCount > MISSES_MAX) this.#forgetMisses();
    const misses = this.#misses.get(experiment);
    if (misses === undefined) this.#misses.set(experiment, new Set([unitHash]));
    else misses.add(unitHash);
  }

  /** The file has to be asked about it again. */
  delete(unitHash: string): void {
    this.#units.delete(unitHash);
    for (const misses of this.#misses.values()) misses.delete(unitHash);
  }

  /** To be called from time to time. */
  age(nowMs: number): void {
    if (nowMs < this.#missesUntilMs) return;
    this.#forgetMisses();
    this.#missesUntilMs = nowMs + MISSES_MS;
  }

  clear(): void {
    this.#units.clear();
    this.#forgetMisses();
  }

  #forgetMisses(): void {
    this.#misses.clear();
    this.#missCount = 0;
  }
}
