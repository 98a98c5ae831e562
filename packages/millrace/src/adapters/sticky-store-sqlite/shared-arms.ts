import type { StickyArm } from "../../ports/sticky-store.ts";

/** More than a few experiments have in all their phases; beyond it objects are not shared, which only costs memory. */
const SHARED_MAX = 256;

/** One object for all units with the same arm of the same phase: 100,000 units have a handful. */
export class SharedArms {
  readonly #arms: StickyArm[] = [];

  of({ arm, phase, propensity }: StickyArm): StickyArm {
    for (const shared of this.#arms) {
      if (shared.arm === arm && shared.phase === phase && shared.propensity === propensity) {
        return shared;
      }
    }
    const own = { arm, phase, propensity };
    if (this.#arms.length < SHARED_MAX) this.#arms.push(own);
    return own;
  }
}
