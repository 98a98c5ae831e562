import type { KeptArm } from "./unit-assigner.ts";

/** The arm that a unit has in an experiment. */
export interface ExperimentArm {
  /** `ExperimentKey` of the port. */
  readonly experiment: string;
  readonly arm: KeptArm;
}

/** More than a few experiments have in all their phases; beyond it objects are not shared, which only costs memory. */
const SHARED_MAX = 256;

/** One object for all units with the same arm of the same phase: 100,000 units have a handful. */
export class SharedArms {
  readonly #shared: ExperimentArm[] = [];

  of(experiment: string, { arm, phase, propensity }: KeptArm): ExperimentArm {
    for (const one of this.#shared) {
      const { arm: known } = one;
      if (one.experiment !== experiment || known.arm !== arm) continue;
      if (known.phase === phase && known.propensity === propensity) return one;
    }
    const own = { experiment, arm: { arm, phase, propensity } };
    if (this.#shared.length < SHARED_MAX) this.#shared.push(own);
    return own;
  }
}
