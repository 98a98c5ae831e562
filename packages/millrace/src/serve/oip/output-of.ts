import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Prediction } from "../prediction.ts";

/**
 * The output that was asked for at a place; undefined when its branch is missing. What stands in for an overloaded
 * service may name its outputs in another way.
 */
export function outputOf(
  { outputs, degraded, degradations }: Prediction,
  name: string,
  index: number,
): Tensor | undefined {
  const isWhole = degraded === undefined || degradations.length === 0;
  return isWhole ? outputs[index] : outputs.find((tensor) => tensor.name === name);
}
