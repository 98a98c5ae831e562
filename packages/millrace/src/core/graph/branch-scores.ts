import { MillraceError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Branch, BranchResult } from "./branch.ts";
import type { GraphProblem } from "./graph-problem.ts";
import { predictionOf, predictionSpec } from "./prediction-of.ts";
import { specText } from "./spec-text.ts";

/** Raw 16-bit floats are no numbers here, and texts are no scores. */
const UNREADABLE = new Set(["BYTES", "FP16", "BF16"]);

/** Why the branch's prediction has no scores that can be compared, as a problem; undefined when it has. */
export function scoreProblem({ name, step }: Branch): GraphProblem | undefined {
  const path = ["parallel", name];
  const spec = predictionSpec(step);
  if (spec === undefined) {
    const names = step.outputs.map((output) => output.name).join(", ");
    const message = `branch "${name}" gives ${names} together, expected one prediction of numbers`;
    return { path, message };
  }
  if (UNREADABLE.has(spec.datatype)) {
    const message = `the prediction of branch "${name}" is ${specText(spec)}, expected numbers, FP32 or FP64`;
    return { path, message };
  }
  const size = spec.shape.slice(1).reduce((a, b) => (a === -1 || b === -1 ? -1 : a * b), 1);
  if (size === -1 || step.score < size) return undefined;
  const message = `score ${step.score} of branch "${name}" is not in a row of ${specText(spec)}, expected 0 to ${size - 1}`;
  return { path, message };
}

/** The element of each row of a branch's prediction that thresholds and `argmax` look at. */
export function branchScores(result: BranchResult): Float64Array {
  const { data, shape, name } = branchPrediction(result);
  const { score } = result.branch.step;
  const rowCount = shape[0] ?? 1;
  const size = data.length / rowCount;
  if (rowCount > 0 && score >= size) {
    throw new MillraceError(
      "MODEL_FAILED",
      `Cannot predict: score ${score} of branch "${result.branch.name}" is not in "${name}", a row has ${size} elements`,
    );
  }
  const scores = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) scores[row] = Number(data[row * size + score]);
  return scores;
}

/** @throws MODEL_FAILED when the branch did not give its prediction. */
export function branchPrediction({ branch, outputs }: BranchResult): Tensor {
  const prediction = predictionOf(branch.step, outputs);
  if (prediction !== undefined) return prediction;
  throw new MillraceError(
    "MODEL_FAILED",
    `Cannot predict: branch "${branch.name}" gave no prediction`,
  );
}

/** Rows that all branches gave. @throws MODEL_FAILED with the first two that differ. */
export function commonRowCount(results: readonly BranchResult[]): number {
  let first: { readonly name: string; readonly rows: number } | undefined;
  for (const result of results) {
    const rows = branchPrediction(result).shape[0] ?? 1;
    const { name } = result.branch;
    first ??= { name, rows };
    if (rows !== first.rows) {
      throw new MillraceError(
        "MODEL_FAILED",
        `Cannot predict: branch "${first.name}" gave ${first.rows} rows, branch "${name}" ${rows}, expected as many`,
      );
    }
  }
  return first?.rows ?? 0;
}
