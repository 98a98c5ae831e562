import type { BranchResult, Combiner } from "../../core/graph/branch.ts";
import { predictionSpec } from "../../core/graph/prediction-of.ts";
import type { StepContext } from "../../core/graph/step.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import type { Declaration } from "./declaration.ts";
import type { FunctionPool } from "./function-pool.ts";
import type { TensorGroup } from "./thread-messages.ts";

/** A combiner that is a function of the user. */
export class FunctionCombiner implements Combiner {
  readonly kind: string;
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number | "all";
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly #pool: FunctionPool;

  /** @param name of its file, for the trace. */
  constructor(name: string, declaration: Declaration, pool: FunctionPool) {
    this.kind = name;
    this.outputs = declaration.outputs;
    this.prediction = declaration.prediction;
    this.labels = declaration.labels;
    this.score = declaration.score;
    this.#pool = pool;
  }

  combine(results: readonly BranchResult[], context?: StepContext): Promise<readonly Tensor[]> {
    const rowCount = results[0]?.outputs[0]?.shape[0] ?? 0;
    return this.#pool.run({ groups: results.map(groupOf), context, rowCount });
  }
}

function groupOf({ branch, outputs }: BranchResult): TensorGroup {
  const { name, step } = branch;
  return {
    name,
    tensors: outputs,
    prediction: predictionSpec(step)?.name,
    labels: step.labels,
  };
}
