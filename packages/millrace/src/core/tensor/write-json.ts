import { MillraceError } from "../errors.ts";
import { shortNumber } from "./short-number.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Elements of a tensor as JSON, in the order of storage, without brackets. NaN and ±Infinity have no JSON
 * form and become `null`; INT64 and UINT64 keep every digit.
 *
 * @param from first element, inclusive. @param to last element, exclusive.
 * @throws NOT_IMPLEMENTED for FP16 and BF16, which only a binary reply can carry.
 */
function elementsJson(tensor: Tensor, from: number, to: number): string {
  const { data, datatype } = tensor;
  if (datatype === "FP16" || datatype === "BF16") {
    throw new MillraceError(
      "NOT_IMPLEMENTED",
      `Cannot write output "${tensor.name}" as JSON: ${datatype} has no JSON form, request it as binary data`,
    );
  }
  let json = "";
  for (let i = from; i < to; i++) {
    if (i > from) json += ",";
    const value = data[i] as number | bigint | string;
    if (typeof value === "number") {
      if (datatype === "BOOL") json += value === 0 ? "false" : "true";
      else json += numberJson(value);
    } else json += typeof value === "string" ? JSON.stringify(value) : value.toString();
  }
  return json;
}

export function numberJson(value: number): string {
  // String(-0) is "0", and "-0" is the whole number 0 to parsers that tell numbers apart.
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0";
  return Number.isFinite(value) ? String(value) : "null";
}

/** The Open Inference Protocol's form: one flat, row-major array. */
export function flatJson(tensor: Tensor): string {
  return `[${elementsJson(tensor, 0, tensor.data.length)}]`;
}

/** Arrays nested as the shape says; a scalar is a bare value. */
export function nestedJson(tensor: Tensor): string {
  return nested(tensor, 0, 0, tensor.data.length);
}

/** Like `nestedJson`, of the part at index `row` of the first axis. */
export function rowJson(tensor: Tensor, row: number): string {
  const rowCount = tensor.shape[0] ?? 1;
  const size = tensor.data.length / rowCount;
  return nested(tensor, 1, row * size, (row + 1) * size);
}

function nested(tensor: Tensor, axis: number, from: number, to: number): string {
  const rank = tensor.shape.length;
  if (axis >= rank) return elementsJson(tensor, from, to);
  if (axis === rank - 1) return `[${elementsJson(tensor, from, to)}]`;
  const extent = tensor.shape[axis] as number;
  const size = extent === 0 ? 0 : (to - from) / extent;
  let json = "[";
  for (let i = 0; i < extent; i++) {
    if (i > 0) json += ",";
    json += nested(tensor, axis + 1, from + i * size, from + (i + 1) * size);
  }
  return `${json}]`;
}

/**
 * The same numbers with the fewest digits that still are these FP32 numbers: 5.1 and not 5.099999904632568.
 * For samples shown to people; replies carry the exact values.
 */
export function withShortNumbers(tensor: Tensor): Tensor {
  if (tensor.datatype !== "FP32") return tensor;
  const data = Float64Array.from(tensor.data as Float32Array, shortNumber);
  return { ...tensor, datatype: "FP64", data };
}
