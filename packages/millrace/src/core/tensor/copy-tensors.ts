import { copyData } from "./copy-data.ts";
import type { Tensor } from "./tensor.ts";

export interface CopiedTensors {
  readonly tensors: Tensor[];
  /** Memory of the copies, which may move to where they are used. */
  readonly buffers: ArrayBuffer[];
}

/** Copies numbers, each tensor into memory of its own; text is shared. */
export function copyTensors(tensors: readonly Tensor[]): CopiedTensors {
  const buffers: ArrayBuffer[] = [];
  const copies = tensors.map((tensor) => {
    if (Array.isArray(tensor.data)) return tensor;
    const data = copyData(tensor.datatype, tensor.data);
    buffers.push(data.buffer);
    return { ...tensor, data };
  });
  return { tensors: copies, buffers };
}
