import type { Step, StepContext } from "../core/graph/step.ts";
import { outcomeOf, type StepOutcome } from "../core/graph/step-outcome.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import type { ModelVersion } from "../models/model-version.ts";

/** A model in a graph: it waits in that model's line, and shares its batches with everybody else. */
export class ModelStep implements Step {
  readonly name: string;
  readonly kind = "model";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number;
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly #version: ModelVersion;

  constructor(name: string, version: ModelVersion) {
    this.name = name;
    this.inputs = version.inputs;
    this.outputs = version.outputs;
    this.prediction = version.outputs.indexOf(version.predictionOutput);
    this.labels = version.labels;
    this.score = version.score;
    this.#version = version;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    const { clock, deadlineAtMs, priority, cancellation, trace } = context;
    trace.note("model", this.#version.id);
    const result = await this.#version.run(inputs, this.#version.outputNames, {
      receivedMs: clock.nowMs(),
      deadlineAtMs,
      priority,
      cancellation,
      isInputOwned: false,
    });
    trace.note("queueMs", toMicroseconds(result.queueMs));
    trace.note("inferMs", toMicroseconds(result.computeMs));
    return outcomeOf(result.outputs);
  }
}

function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
