import { outcomeOf, type StepOutcome } from "../../core/graph/step-outcome.ts";
import type { Step, StepContext } from "../../core/graph/step.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import type { Declaration } from "./declaration.ts";
import type { FunctionPool } from "./function-pool.ts";

/** A step that is a function of the user. */
export class FunctionStep implements Step {
  readonly name: string;
  readonly kind: "function" | "load";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number | "all";
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly #pool: FunctionPool;

  constructor(
    name: string,
    kind: "function" | "load",
    declaration: Declaration,
    pool: FunctionPool,
  ) {
    this.name = name;
    this.kind = kind;
    this.inputs = declaration.inputs;
    this.outputs = declaration.outputs;
    this.prediction = declaration.prediction;
    this.labels = declaration.labels;
    this.score = declaration.score;
    this.#pool = pool;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    const group = { name: "", tensors: inputs, prediction: undefined, labels: undefined };
    const rowCount = inputs[0]?.shape[0] ?? 0;
    return outcomeOf(await this.#pool.run({ groups: [group], context, rowCount }));
  }
}
