import { allocate, type TensorData } from "./datatype.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Puts tensors one after the other along their first axis, into new memory.
 * @param parts at least one; equal in name, datatype and every other extent.
 */
export function joinRows(parts: readonly Tensor[]): Tensor {
  const first = parts[0] as Tensor;
  let rows = 0;
  let elementCount = 0;
  for (const { shape, data } of parts) {
    rows += shape[0] as number;
    elementCount += data.length;
  }
  const joined = allocate(first.datatype, elementCount);
  let offset = 0;
  for (const { data } of parts) {
    copyInto(joined, data, offset);
    offset += data.length;
  }
  return { ...first, shape: [rows, ...first.shape.slice(1)], data: joined };
}

function copyInto(target: TensorData, data: TensorData, offset: number): void {
  if (Array.isArray(target)) {
    for (let i = 0; i < data.length; i++) target[offset + i] = data[i] as string;
    return;
  }
  // A handful of numbers is copied faster one by one than by `set`.
  if (data.length > 16) (target as Float64Array).set(data as Float64Array, offset);
  else for (let i = 0; i < data.length; i++) target[offset + i] = data[i] as number;
}

/** Rows `from` to `from + count` along the first axis: a view where the datatype allows one. */
export function sliceRows(tensor: Tensor, from: number, count: number): Tensor {
  const rows = tensor.shape[0] as number;
  if (from === 0 && count === rows) return tensor;
  const rowLength = tensor.data.length / rows;
  const start = from * rowLength;
  const end = start + count * rowLength;
  const data = Array.isArray(tensor.data)
    ? tensor.data.slice(start, end)
    : tensor.data.subarray(start, end);
  return { ...tensor, shape: [count, ...tensor.shape.slice(1)], data };
}
