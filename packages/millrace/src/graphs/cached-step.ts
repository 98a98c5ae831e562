import { DataKeys } from "../core/cache/data-keys.ts";
import { runStep } from "../core/graph/run-step.ts";
import type { StepOutcome } from "../core/graph/step-outcome.ts";
import type { Step, StepContext } from "../core/graph/step.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import { CachedRun } from "./cached-run.ts";
import type { CachedStepOptions } from "./cached-step-options.ts";

/**
 * Runs steps for the rows that are not known yet, and keeps what they give, row by row. Rows of a request that are
 * missing run together; those that another request is just preparing are waited for.
 */
export class CachedStep implements Step {
  readonly name: string;
  readonly kind = "cached";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number | "all";
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly #options: CachedStepOptions;
  readonly #keys: DataKeys;

  /** @param options checked by `buildCached`. */
  constructor(name: string, options: CachedStepOptions) {
    const { step, digest, dataCache } = options;
    this.name = name;
    this.inputs = step.inputs;
    this.outputs = step.outputs;
    this.prediction = step.prediction;
    this.labels = step.labels;
    this.score = step.score;
    this.#options = options;
    this.#keys = new DataKeys(digest, dataCache.sha256);
  }

  run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    const keys = this.#keys.keysOf(inputs[this.#options.keyIndex] as Tensor);
    if (keys.length === 0) return runStep(this.#options.step, inputs, context);
    return new CachedRun(this.#options, { inputs, keys, context }).run();
  }
}
