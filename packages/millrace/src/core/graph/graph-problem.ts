import type { Step } from "./step.ts";

/** Something that makes a graph impossible, found before it serves. */
export interface GraphProblem {
  /** Where, from the step that is built, in the words of the file: `["sequence", 1]`, `["map", "x"]`. */
  readonly path: readonly (string | number)[];
  /** What was found, what is expected, and where there is one, the line that would fix it. */
  readonly message: string;
}

/** A step, or everything that speaks against it. */
export type StepBuild =
  | { readonly kind: "step"; readonly step: Step }
  | { readonly kind: "problems"; readonly problems: readonly GraphProblem[] };
