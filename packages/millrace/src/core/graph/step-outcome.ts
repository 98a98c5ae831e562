import type { ErrorCode } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Something an answer lacks, or has in another way than the graph says first, because a step failed. */
export interface Degradation {
  /** `missing`: a branch is left out; `skipped`: a step was passed over; `fallback`: another step ran instead. */
  readonly kind: "missing" | "skipped" | "fallback";
  /** The branch or the step it happened to; inside a branch with that one's name before it: `species.setosa`. */
  readonly step: string;
  readonly code: ErrorCode;
  /** What was thrown: for the log, not for callers. */
  readonly cause: unknown;
}

/** What one run of a step gave. */
export interface StepOutcome {
  /** In the order of the step's outputs, named as they are; those of a missing branch are left out. */
  readonly outputs: readonly Tensor[];
  /** Predictions of deactivated branches that are only observed, each named after its branch: for the log. */
  readonly observed: readonly Tensor[];
  /** Never silent: everything that is missing, was skipped or replaced. */
  readonly degraded: readonly Degradation[];
}

const NONE: readonly never[] = [];

/** @returns the outcome of a step that did all it should. */
export function outcomeOf(outputs: readonly Tensor[]): StepOutcome {
  return { outputs, observed: NONE, degraded: NONE };
}
