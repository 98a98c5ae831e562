import { fromBfloat, fromHalf } from "./half-float.ts";
import { shortNumber } from "./short-number.ts";
import type { Tensor } from "./tensor.ts";
import { numberJson } from "./write-json.ts";

/**
 * One element as JSON for people and tables: FP32 with the fewest digits that are the same number, FP16 and BF16 as
 * numbers, NaN and ±Infinity as `null`. It never throws.
 */
export function shortElementJson({ data, datatype }: Tensor, index: number): string {
  const value = data[index] as number | bigint | string;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return value.toString();
  switch (datatype) {
    case "BOOL":
      return value === 0 ? "false" : "true";
    case "FP32":
      return numberJson(shortNumber(value));
    case "FP16":
      return numberJson(fromHalf(value));
    case "BF16":
      return numberJson(fromBfloat(value));
    default:
      return numberJson(value);
  }
}

/** Arrays nested as the shape says; a scalar is a bare value. */
export function shortNestedJson(tensor: Tensor): string {
  return nested(tensor, 0, 0, tensor.data.length);
}

/** Like `shortNestedJson`, of the part at index `row` of the first axis. */
export function shortRowJson(tensor: Tensor, row: number): string {
  const size = tensor.data.length / (tensor.shape[0] ?? 1);
  return nested(tensor, 1, row * size, (row + 1) * size);
}

function nested(tensor: Tensor, axis: number, from: number, to: number): string {
  const { shape } = tensor;
  if (axis >= shape.length) return shortElementJson(tensor, from);
  const extent = shape[axis] as number;
  const size = extent === 0 ? 0 : (to - from) / extent;
  const isInnermost = axis === shape.length - 1;
  let json = "[";
  for (let i = 0; i < extent; i++) {
    if (i > 0) json += ",";
    json += isInnermost
      ? shortElementJson(tensor, from + i)
      : nested(tensor, axis + 1, from + i * size, from + (i + 1) * size);
  }
  return `${json}]`;
}
