import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import type { Given } from "./step.ts";

/** Spec of the output that is the prediction; undefined where all outputs together are it. */
export function predictionSpec({ outputs, prediction }: Given): TensorSpec | undefined {
  return prediction === "all" ? undefined : outputs[prediction];
}

/** The prediction among the outputs of a run; undefined where all together are it, or when it is missing. */
export function predictionOf(given: Given, outputs: readonly Tensor[]): Tensor | undefined {
  const name = predictionSpec(given)?.name;
  return name === undefined ? undefined : outputs.find((output) => output.name === name);
}
