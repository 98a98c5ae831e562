import { allocate, type Datatype } from "../tensor/datatype.ts";
import type { Branch, Combiner } from "./branch.ts";
import { branchScores, commonRowCount, scoreProblem } from "./branch-scores.ts";
import type { GraphProblem } from "./graph-problem.ts";
import { predictionSpec } from "./prediction-of.ts";

/**
 * For each row the branch with the largest score: `proba`, the score, and `label`, the branch's name, both `[batch]`.
 * Of equal ones the first wins; NaN wins only over nothing. `proba` is FP32, or FP64 when a branch's scores are not FP32.
 */
export function combineArgmax(branches: readonly Branch[], problems: GraphProblem[]): Combiner {
  for (const branch of branches) {
    const problem = scoreProblem(branch);
    if (problem !== undefined) problems.push(problem);
  }
  const datatype: Datatype = branches.every(isFP32) ? "FP32" : "FP64";
  return {
    kind: "argmax",
    outputs: [
      { name: "proba", datatype, shape: [-1] },
      { name: "label", datatype: "BYTES", shape: [-1] },
    ],
    prediction: "all",
    labels: branches.map(({ name }) => name),
    score: 0,
    combine: (results) => {
      const rows = commonRowCount(results);
      const proba = allocate(datatype, rows) as Float64Array;
      const label = new Array<string>(rows).fill("");
      for (const [at, result] of results.entries()) {
        const scores = branchScores(result);
        for (let row = 0; row < rows; row++) {
          const score = scores[row] as number;
          const best = proba[row] as number;
          if (at > 0 && !(score > best) && !(Number.isNaN(best) && !Number.isNaN(score))) continue;
          proba[row] = score;
          label[row] = result.branch.name;
        }
      }
      return [
        { name: "proba", datatype, shape: [rows], data: proba },
        { name: "label", datatype: "BYTES", shape: [rows], data: label },
      ];
    },
  };
}

function isFP32({ step }: Branch): boolean {
  return predictionSpec(step)?.datatype === "FP32";
}
