import type { JsonValue } from "../json.ts";
import { fromBfloat, fromHalf } from "./half-float.ts";
import { shortNumber } from "./short-number.ts";
import type { Tensor } from "./tensor.ts";

/** The values that `shortNestedJson` writes: arrays nested as the shape says, a scalar is a bare value. */
export function shortNestedValue(tensor: Tensor): JsonValue {
  return nested(tensor, 0, 0, tensor.data.length);
}

/** Like `shortNestedValue`, of the part at index `row` of the first axis. */
export function shortRowValue(tensor: Tensor, row: number): JsonValue {
  const size = tensor.data.length / (tensor.shape[0] ?? 1);
  return nested(tensor, 1, row * size, (row + 1) * size);
}

function nested(tensor: Tensor, axis: number, from: number, to: number): JsonValue {
  const { shape } = tensor;
  if (axis >= shape.length) return elementOf(tensor, from);
  const extent = shape[axis] as number;
  const size = extent === 0 ? 0 : (to - from) / extent;
  const isInnermost = axis === shape.length - 1;
  const values: JsonValue[] = [];
  for (let i = 0; i < extent; i++) {
    values.push(
      isInnermost
        ? elementOf(tensor, from + i)
        : nested(tensor, axis + 1, from + i * size, from + (i + 1) * size),
    );
  }
  return values;
}

function elementOf({ data, datatype }: Tensor, index: number): JsonValue {
  const value = data[index] as number | bigint | string;
  if (typeof value === "string" || typeof value === "bigint") return value;
  switch (datatype) {
    case "BOOL":
      return value !== 0;
    case "FP32":
      return finite(shortNumber(value));
    case "FP16":
      return finite(fromHalf(value));
    case "BF16":
      return finite(fromBfloat(value));
    default:
      return finite(value);
  }
}

/** JSON has no other numbers. */
function finite(value: number): JsonValue {
  return Number.isFinite(value) ? value : null;
}
