import { allocate } from "../tensor/datatype.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import type { GraphProblem, StepBuild } from "./graph-problem.ts";
import { predictionSpec } from "./prediction-of.ts";
import { specText } from "./spec-text.ts";
import { outcomeOf, type StepOutcome } from "./step-outcome.ts";
import type { Given, Step } from "./step.ts";

export interface SoftmaxOptions {
  readonly name: string;
  /** The step before: its prediction is the input, its labels stay. */
  readonly of: Given;
  /** Axis whose elements add up to 1; −1, the default, is the last. The first one counts rows. */
  readonly axis?: number;
}

/** `exp(x) / sum(exp(x))` along an axis: scores become `probabilities` of the same datatype and shape. */
export function buildSoftmax({ name, of, axis = -1 }: SoftmaxOptions): StepBuild {
  const spec = predictionSpec(of);
  const problem = problemOf(spec, axis);
  if (spec === undefined || problem !== undefined) {
    return { kind: "problems", problems: problem === undefined ? [] : [problem] };
  }
  const { labels, score } = of;
  return { kind: "step", step: new SoftmaxStep({ name, spec, axis, labels, score }) };
}

function problemOf(spec: TensorSpec | undefined, axis: number): GraphProblem | undefined {
  const path = ["softmax"];
  if (spec === undefined) {
    return { path, message: "the step before gives no single prediction, expected scores" };
  }
  if (spec.datatype !== "FP32" && spec.datatype !== "FP64") {
    return { path, message: `the step before gives ${specText(spec)}, expected FP32 or FP64` };
  }
  const rank = spec.shape.length;
  const from = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && from >= 1 && from < rank) return undefined;
  const allowed = rank < 2 ? "an axis after the rows" : `1 to ${rank - 1}, or -1 for the last`;
  return { path, message: `found axis ${axis} of ${specText(spec)}, expected ${allowed}` };
}

interface SoftmaxStepOptions {
  readonly name: string;
  readonly spec: TensorSpec;
  readonly axis: number;
  readonly labels: readonly string[] | undefined;
  readonly score: number;
}

class SoftmaxStep implements Step {
  readonly name: string;
  readonly kind = "softmax";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction = 0;
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly #axis: number;

  constructor({ name, spec, axis, labels, score }: SoftmaxStepOptions) {
    this.name = name;
    this.inputs = [spec];
    this.outputs = [{ ...spec, name: "probabilities" }];
    this.labels = labels;
    this.score = score;
    this.#axis = axis < 0 ? axis + spec.shape.length : axis;
  }

  async run([scores]: readonly Tensor[]): Promise<StepOutcome> {
    return outcomeOf([softmax(scores as Tensor, this.#axis)]);
  }
}

/** The largest score is taken off first, which changes nothing but that no exponential overflows. */
function softmax({ datatype, shape, data }: Tensor, axis: number): Tensor {
  const scores = data as Float64Array;
  const probabilities = allocate(datatype, scores.length) as Float64Array;
  const size = shape[axis] as number;
  const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const lines = size === 0 ? 0 : scores.length / size;
  for (let line = 0; line < lines; line++) {
    const from = Math.floor(line / stride) * stride * size + (line % stride);
    const to = from + size * stride;
    let largest = -Infinity;
    for (let i = from; i < to; i += stride) largest = Math.max(largest, scores[i] as number);
    let sum = 0;
    for (let i = from; i < to; i += stride) sum += Math.exp((scores[i] as number) - largest);
    for (let i = from; i < to; i += stride) {
      probabilities[i] = Math.exp((scores[i] as number) - largest) / sum;
    }
  }
  return { name: "probabilities", datatype, shape, data: probabilities };
}
