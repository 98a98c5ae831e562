import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import type { Branch, BranchResult, Combiner } from "./branch.ts";
import { branchPrediction, branchScores, scoreProblem } from "./branch-scores.ts";
import type { GraphProblem } from "./graph-problem.ts";
import { predictionSpec } from "./prediction-of.ts";

/**
 * One output per branch, named after it: its prediction, or with a threshold 1 or 0 for each row, INT32 `[batch]`. A
 * branch whose outputs together are the prediction gives each of them, as `branch.output`.
 */
export function combineEach(branches: readonly Branch[], problems: GraphProblem[]): Combiner {
  for (const branch of branches) {
    const problem = branch.threshold === undefined ? undefined : scoreProblem(branch);
    if (problem !== undefined) problems.push(problem);
  }
  return {
    kind: "each",
    outputs: branches.flatMap(specsOf),
    prediction: "all",
    labels: undefined,
    score: 0,
    combine: (results) => results.flatMap(tensorsOf),
  };
}

function specsOf({ name, step, threshold }: Branch): TensorSpec[] {
  const spec = predictionSpec(step);
  if (spec === undefined) {
    return step.outputs.map((output) => ({ ...output, name: `${name}.${output.name}` }));
  }
  if (threshold === undefined) return [{ ...spec, name }];
  return [{ name, datatype: "INT32", shape: [spec.shape[0] ?? 1] }];
}

function tensorsOf(result: BranchResult): Tensor[] {
  const { name, step, threshold } = result.branch;
  if (step.prediction === "all") {
    return result.outputs.map((output) => ({ ...output, name: `${name}.${output.name}` }));
  }
  if (threshold === undefined) return [{ ...branchPrediction(result), name }];
  const scores = branchScores(result);
  const data = Int32Array.from(scores, (score) => (score >= threshold ? 1 : 0));
  return [{ name, datatype: "INT32", shape: [scores.length], data }];
}
