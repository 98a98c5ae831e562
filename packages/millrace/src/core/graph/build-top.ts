import { MillraceError } from "../errors.ts";
import { allocate } from "../tensor/datatype.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import type { GraphProblem, StepBuild } from "./graph-problem.ts";
import { predictionSpec } from "./prediction-of.ts";
import { specText } from "./spec-text.ts";
import { outcomeOf, type StepOutcome } from "./step-outcome.ts";
import type { Given, Step } from "./step.ts";

export interface TopOptions {
  readonly name: string;
  /** The step before: its prediction is the input, `[batch, class]`, its labels name the classes. */
  readonly of: Given;
  /** Classes to keep, at least 1. */
  readonly count: number;
}

/**
 * The largest scores of each row, largest first: `scores` of their datatype, `indices` INT64, and where the classes
 * have labels `labels` BYTES, each `[batch, count]`. Of equal scores the first stands first, NaN stands last.
 */
export function buildTop({ name, of, count }: TopOptions): StepBuild {
  const spec = predictionSpec(of);
  const problem = problemOf(spec, of.labels, count);
  if (spec === undefined || problem !== undefined) {
    return { kind: "problems", problems: problem === undefined ? [] : [problem] };
  }
  return { kind: "step", step: new TopStep(name, spec, of.labels, count) };
}

function problemOf(
  spec: TensorSpec | undefined,
  labels: readonly string[] | undefined,
  count: number,
): GraphProblem | undefined {
  const path = ["top"];
  if (spec === undefined) {
    return { path, message: "the step before gives no single prediction, expected scores" };
  }
  const isFloat = spec.datatype === "FP32" || spec.datatype === "FP64";
  if (!isFloat || spec.shape.length !== 2) {
    const message = `the step before gives ${specText(spec)}, expected FP32 or FP64 [batch, class]`;
    return { path, message };
  }
  const classCount = spec.shape[1] as number;
  const isKnown = classCount !== -1;
  if (!Number.isInteger(count) || count < 1 || (isKnown && count > classCount)) {
    const allowed = isKnown ? `1 to ${classCount}, the classes there are` : "at least 1";
    return { path, message: `found ${count}, expected ${allowed}` };
  }
  if (!isKnown || labels === undefined || labels.length === classCount) return undefined;
  const message = `the step before gives ${classCount} scores and has ${labels.length} labels, expected as many`;
  return { path, message };
}

class TopStep implements Step {
  readonly name: string;
  readonly kind = "top";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction = "all";
  readonly labels: readonly string[] | undefined;
  readonly score = 0;
  readonly #classes: readonly string[] | undefined;
  readonly #count: number;

  constructor(
    name: string,
    spec: TensorSpec,
    classes: readonly string[] | undefined,
    count: number,
  ) {
    const shape = [spec.shape[0] as number, spec.shape[1] === -1 ? -1 : count];
    const outputs: TensorSpec[] = [
      { name: "scores", datatype: spec.datatype, shape },
      { name: "indices", datatype: "INT64", shape },
    ];
    if (classes !== undefined) outputs.push({ name: "labels", datatype: "BYTES", shape });
    this.name = name;
    this.inputs = [spec];
    this.outputs = outputs;
    this.labels = classes;
    this.#classes = classes;
    this.#count = count;
  }

  async run([input]: readonly Tensor[]): Promise<StepOutcome> {
    const { datatype, shape, data } = input as Tensor;
    const [rows, classCount] = shape as readonly [number, number];
    const count = Math.min(this.#count, classCount);
    const own = [rows, count];
    const scores = allocate(datatype, rows * count) as Float64Array;
    const indices = new BigInt64Array(rows * count);
    const best = new Int32Array(count);
    for (let row = 0; row < rows; row++) {
      const values = data.slice(row * classCount, (row + 1) * classCount) as Float64Array;
      findBest(values, best);
      for (const [at, index] of best.entries()) {
        scores[row * count + at] = values[index] as number;
        indices[row * count + at] = BigInt(index);
      }
    }
    const outputs: Tensor[] = [
      { name: "scores", datatype, shape: own, data: scores },
      { name: "indices", datatype: "INT64", shape: own, data: indices },
    ];
    if (this.#classes !== undefined) {
      const labels = Array.from(indices, (index) => this.#labelOf(Number(index)));
      outputs.push({ name: "labels", datatype: "BYTES", shape: own, data: labels });
    }
    return outcomeOf(outputs);
  }

  #labelOf(index: number): string {
    const label = this.#classes?.[index];
    if (label !== undefined) return label;
    throw new MillraceError(
      "LABELS_NOT_FOUND",
      `Cannot predict: class ${index} has no label, there are ${this.#classes?.length ?? 0}`,
    );
  }
}

/** Fills `best` with the indices of the largest values: few are kept, so most values are looked at once. */
function findBest(values: Float64Array, best: Int32Array): void {
  let found = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    let at = found;
    while (at > 0 && isLarger(value, values[best[at - 1] as number] as number)) at--;
    if (at >= best.length) continue;
    best.copyWithin(at + 1, at, best.length - 1);
    best[at] = index;
    found = Math.min(found + 1, best.length);
  }
}

function isLarger(a: number, b: number): boolean {
  return a > b || (Number.isNaN(b) && !Number.isNaN(a));
}
