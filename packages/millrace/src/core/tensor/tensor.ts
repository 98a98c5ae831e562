import type { Datatype, TensorData } from "./datatype.ts";

/** A named, typed, row-major array. Whoever holds it must not change `data`. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  /** Extents, outermost first, all ≥ 0; their product is `data.length`. */
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What a model takes or gives: like a Tensor, with −1 for an extent that may vary. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** @returns the product of `shape`, or undefined when it is not a safe integer or an extent is negative. */
export function elementCountOf(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0) return undefined;
    count *= extent;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** Does a tensor of `shape` fit `spec`, where −1 fits any extent? */
export function fitsShape(shape: readonly number[], spec: readonly number[]): boolean {
  return (
    shape.length === spec.length &&
    spec.every((extent, axis) => extent === -1 || extent === shape[axis])
  );
}
