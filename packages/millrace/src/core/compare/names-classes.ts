import type { TensorSpec } from "../tensor/tensor.ts";

/** Does a prediction name classes? All but a single score does; of several outputs each may name its own. */
export function namesClasses(prediction: TensorSpec | undefined): boolean {
  if (prediction === undefined) return true;
  return !/^(?:FP|BF)/.test(prediction.datatype) || classCountOf(prediction) !== 1;
}

/** Values of a row; undefined where their number may vary, and where several outputs are the prediction. */
export function classCountOf(prediction: TensorSpec | undefined): number | undefined {
  if (prediction === undefined) return undefined;
  const extents = prediction.shape.slice(1);
  return extents.includes(-1) ? undefined : extents.reduce((product, one) => product * one, 1);
}
