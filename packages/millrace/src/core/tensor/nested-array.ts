import type { JsonValue } from "../json.ts";
import { RANK_MAX } from "./read-json-array.ts";

/** Extents along the first elements; whether the rest agrees is what `flattenInto` tells. */
export function extentsOf(value: JsonValue): number[] {
  const shape: number[] = [];
  for (
    let inner: JsonValue | undefined = value;
    Array.isArray(inner) && shape.length <= RANK_MAX; // one that holds itself has no end
    inner = inner[0] as JsonValue
  ) {
    shape.push(inner.length);
  }
  return shape;
}

/**
 * Appends the elements of nested arrays in row-major order.
 * @returns false when an array has another length than `shape` says.
 */
export function flattenInto(
  flat: JsonValue[],
  value: JsonValue,
  shape: readonly number[],
  axis = 0,
): boolean {
  if (axis === shape.length) {
    flat.push(value);
    return !Array.isArray(value);
  }
  if (!Array.isArray(value) || value.length !== shape[axis]) return false;
  // Not `every`, which passes over the holes of a sparse array.
  for (let i = 0; i < value.length; i++) {
    if (!flattenInto(flat, value[i] as JsonValue, shape, axis + 1)) return false;
  }
  return true;
}

/** Indexes of the element at `index` in row-major order, outermost first. */
export function indexesOf(index: number, shape: readonly number[]): number[] {
  const path: number[] = [];
  let rest = index;
  for (const extent of shape.toReversed()) {
    path.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return path;
}
