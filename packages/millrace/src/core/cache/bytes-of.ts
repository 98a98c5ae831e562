import type { Tensor } from "../tensor/tensor.ts";

/** An entry without its tensors: key, time, its places in the cache. No entry takes less. */
export const ENTRY_BYTES_MIN = 400;

/** A tensor without its elements: the object, its shape, the array. */
const TENSOR_BYTES = 300;

/** A text without its characters. */
const TEXT_BYTES = 24;

/** Memory that a cached entry takes, in bytes: an estimate that is rather too large. Always above 0. */
export function bytesOf(tensors: readonly Tensor[]): number {
  let bytes = ENTRY_BYTES_MIN;
  for (const { data } of tensors) {
    bytes += TENSOR_BYTES;
    if (!Array.isArray(data)) bytes += data.byteLength;
    else for (const text of data) bytes += TEXT_BYTES + 2 * text.length;
  }
  return bytes;
}
