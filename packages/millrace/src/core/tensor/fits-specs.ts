import { fitsShape, type Tensor, type TensorSpec } from "./tensor.ts";

/** Are these the tensors that `specs` describe, in that order, by name, datatype and shape? */
export function fitsSpecs(tensors: readonly Tensor[], specs: readonly TensorSpec[]): boolean {
  if (tensors.length !== specs.length) return false;
  return specs.every(({ name, datatype, shape }, i) => {
    const tensor = tensors[i] as Tensor;
    const isKind = tensor.name === name && tensor.datatype === datatype;
    return isKind && fitsShape(tensor.shape, shape);
  });
}
