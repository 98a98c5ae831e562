import type { Tensor } from "./tensor.ts";

/** Memory of the elements; of texts their length in UTF-16, since counting UTF-8 would cost more than it tells. */
export function tensorBytes(tensors: readonly Tensor[]): number {
  let bytes = 0;
  for (let i = 0; i < tensors.length; i++) {
    const { data } = tensors[i] as Tensor;
    if (!Array.isArray(data)) bytes += data.byteLength;
    else for (const text of data) bytes += 2 * text.length + 16;
  }
  return bytes;
}
