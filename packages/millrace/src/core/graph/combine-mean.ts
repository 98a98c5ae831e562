import { MillraceError } from "../errors.ts";
import { allocate, type Datatype } from "../tensor/datatype.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import type { Branch, BranchResult, Combiner } from "./branch.ts";
import { branchPrediction, commonRowCount } from "./branch-scores.ts";
import { mergeShapes } from "./edge.ts";
import type { GraphProblem } from "./graph-problem.ts";
import { predictionSpec } from "./prediction-of.ts";
import { hasSameLabels } from "./same-labels.ts";
import { specText } from "./spec-text.ts";

/**
 * The mean of the branches' predictions, element by element: `mean`, of their shape, FP32, or FP64 when one of them is.
 * It has their labels when all have the same ones.
 */
export function combineMean(branches: readonly Branch[], problems: GraphProblem[]): Combiner {
  const { datatype, shape } = commonSpec(branches, problems);
  const first = branches[0]?.step;
  const isSame = branches.every(({ step }) => hasSameLabels(first?.labels, step.labels));
  return {
    kind: "mean",
    outputs: [{ name: "mean", datatype, shape }],
    prediction: 0,
    labels: isSame ? first?.labels : undefined,
    score: first?.score ?? 0,
    combine: (results) => [meanOf(results, datatype)],
  };
}

function commonSpec(branches: readonly Branch[], problems: GraphProblem[]): TensorSpec {
  let common: { readonly name: string; readonly spec: TensorSpec } | undefined;
  for (const { name, step } of branches) {
    const path = ["parallel", name];
    const spec = predictionSpec(step);
    if (spec === undefined || (spec.datatype !== "FP32" && spec.datatype !== "FP64")) {
      const found = spec === undefined ? step.outputs.map(specText).join(", ") : specText(spec);
      const message = `the prediction of branch "${name}" is ${found}, expected one of FP32 or FP64`;
      problems.push({ path, message });
      continue;
    }
    common ??= { name, spec };
    const shape = mergeShapes(common.spec.shape, spec.shape);
    if (shape === undefined) {
      const message = `the prediction of branch "${name}" is ${specText(spec)}, that of "${common.name}" ${specText(common.spec)}: a mean needs equal shapes`;
      problems.push({ path, message });
      continue;
    }
    const datatype = spec.datatype === "FP64" ? "FP64" : common.spec.datatype;
    common = { ...common, spec: { ...common.spec, datatype, shape } };
  }
  return common?.spec ?? { name: "mean", datatype: "FP32", shape: [-1] };
}

function meanOf(results: readonly BranchResult[], datatype: Datatype): Tensor {
  commonRowCount(results);
  const predictions = results.map(branchPrediction);
  const { shape, data: first } = predictions[0] as Tensor;
  const sums = new Float64Array(first.length);
  for (const [at, prediction] of predictions.entries()) {
    if (mergeShapes(shape, prediction.shape) === undefined) {
      throw differentShapes(results[0] as BranchResult, results[at] as BranchResult);
    }
    const data = prediction.data as Float64Array;
    for (let i = 0; i < data.length; i++) sums[i] = (sums[i] as number) + (data[i] as number);
  }
  const data = allocate(datatype, sums.length) as Float64Array;
  for (let i = 0; i < sums.length; i++) data[i] = (sums[i] as number) / results.length;
  return { name: "mean", datatype, shape, data };
}

function differentShapes(a: BranchResult, b: BranchResult): MillraceError {
  const state = `${shapeText(a)}, ${shapeText(b)}, expected equal shapes`;
  return new MillraceError("MODEL_FAILED", `Cannot predict: ${state}`);
}

function shapeText(result: BranchResult): string {
  const { shape } = branchPrediction(result);
  return `branch "${result.branch.name}" gave [${shape.join(", ")}]`;
}
