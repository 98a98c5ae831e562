import type { GraphProblem, StepBuild } from "../core/graph/graph-problem.ts";
import { specText } from "../core/graph/spec-text.ts";
import type { TensorSpec } from "../core/tensor/tensor.ts";
import { CachedStep } from "./cached-step.ts";
import type { CachedStepOptions } from "./cached-step-options.ts";

export interface CachedBuildOptions extends Omit<CachedStepOptions, "keyIndex"> {
  readonly name: string;
  /** Name of the input whose value, row by row, says which data is meant. */
  readonly key: string;
}

/** Checks that what the steps give can be kept row by row. */
export function buildCached({ name, key, ...options }: CachedBuildOptions): StepBuild {
  const { inputs, outputs } = options.step;
  const keyIndex = inputs.findIndex((input) => input.name === key);
  const problems: GraphProblem[] = [];
  if (keyIndex === -1) {
    const names = inputs.map((input) => `"${input.name}"`).join(", ");
    problems.push({ path: [], message: `found no input "${key}", there is ${names}` });
  }
  for (const [title, specs] of [["input", inputs] as const, ["output", outputs] as const]) {
    for (const spec of specs.filter((one) => !countsRows(one))) {
      problems.push({
        path: [],
        message: `${title} ${specText(spec)} does not count rows on its first axis, so its rows cannot be cached one by one`,
      });
    }
  }
  if (problems.length > 0) return { kind: "problems", problems };
  return { kind: "step", step: new CachedStep(name, { ...options, keyIndex }) };
}

function countsRows({ shape }: TensorSpec): boolean {
  return shape[0] === -1;
}
