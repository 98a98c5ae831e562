import { copyData } from "../tensor/copy-data.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Tensors whose memory is only theirs, copied where it has to be: one row of a batch is a window of the whole batch,
 * and would keep all of that.
 */
export function ownMemory(tensors: readonly Tensor[]): readonly Tensor[] {
  return tensors.every(isWhole) ? tensors : tensors.map(wholeOf);
}

function isWhole({ data }: Tensor): boolean {
  return Array.isArray(data) || data.byteLength === data.buffer.byteLength;
}

function wholeOf(tensor: Tensor): Tensor {
  const { data } = tensor;
  if (isWhole(tensor) || Array.isArray(data)) return tensor;
  return { ...tensor, data: copyData(tensor.datatype, data) };
}
