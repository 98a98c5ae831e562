import type { Tensor } from "../tensor/tensor.ts";
import type { Given, Step, StepContext } from "./step.ts";

/** One of the steps that run side by side. */
export interface Branch {
  /** Names the output, the label, the trace. */
  readonly name: string;
  readonly step: Step;
  /** By default true. Whether one that is not runs at all is up to `deactivated`. */
  readonly isActive?: boolean;
  /** From this score on the branch says 1, below 0; undefined gives the prediction itself. */
  readonly threshold?: number | undefined;
}

/** What a branch gave in one run. */
export interface BranchResult {
  readonly branch: Branch;
  readonly outputs: readonly Tensor[];
}

/** Makes one outcome of what several branches gave. */
export interface Combiner extends Given {
  /** For the trace: `each`, `argmax`, the name of a function. */
  readonly kind: string;
  /**
   * @param results of the active branches that did not fail, in their order, at least one.
   * @param context of the parallel; undefined outside of a request.
   * @returns the outputs, those of missing branches left out.
   * @throws MODEL_FAILED when they do not go together: different row counts, different shapes.
   */
  combine(
    results: readonly BranchResult[],
    context?: StepContext,
  ): readonly Tensor[] | Promise<readonly Tensor[]>;
}
