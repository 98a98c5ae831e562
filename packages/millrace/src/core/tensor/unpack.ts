import type { JsonValue } from "../json.ts";
import type { Tensor } from "./tensor.ts";

/** A tensor as nested arrays, for a caller in the same process; NaN stays NaN, 64-bit integers are bigint. */
export function unpack(tensor: Tensor): JsonValue {
  return nest(tensor, 0, 0, tensor.data.length);
}

/** Like `unpack`, of the part at index `row` of the first axis. */
export function unpackRow(tensor: Tensor, row: number): JsonValue {
  const size = tensor.data.length / (tensor.shape[0] ?? 1);
  return nest(tensor, 1, row * size, (row + 1) * size);
}

function nest(tensor: Tensor, axis: number, from: number, to: number): JsonValue {
  if (axis >= tensor.shape.length) {
    const value = tensor.data[from] as number | bigint | string;
    return tensor.datatype === "BOOL" ? value === 1 : value;
  }
  const extent = tensor.shape[axis] as number;
  const size = extent === 0 ? 0 : (to - from) / extent;
  return Array.from({ length: extent }, (_, i) =>
    nest(tensor, axis + 1, from + i * size, from + (i + 1) * size),
  );
}
