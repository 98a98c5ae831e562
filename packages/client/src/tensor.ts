import type { NumericArray } from "./json.ts";

/** What holds the elements of each Open Inference Protocol datatype, row-major. */
export interface DatatypeArrays {
  /** One byte 0 or 1 per element. */
  BOOL: Uint8Array;
  UINT8: Uint8Array;
  UINT16: Uint16Array;
  UINT32: Uint32Array;
  UINT64: BigUint64Array;
  INT8: Int8Array;
  INT16: Int16Array;
  INT32: Int32Array;
  INT64: BigInt64Array;
  /** The raw 16 bits of each element. Has no JSON form: `encoding` must be `binary`. */
  FP16: Uint16Array;
  /** As FP16. */
  BF16: Uint16Array;
  FP32: Float32Array;
  FP64: Float64Array;
  /** Text, UTF-8 on the wire. */
  BYTES: string[];
}

export type Datatype = keyof DatatypeArrays;

/** A tensor of a reply. Checking `datatype` tells the type of `data`. The caller owns `data`. */
export type Tensor = {
  [D in Datatype]: {
    readonly name: string;
    readonly datatype: D;
    /** Extents, outermost first, e.g. `[batch, channel, height, width]`; their product is `data.length`. */
    readonly shape: readonly number[];
    readonly data: DatatypeArrays[D];
  };
}[Datatype];

/** A tensor of a request. A `Tensor` of a reply is one too. */
export interface TensorInput {
  readonly name: string;
  /** Extents, outermost first, batch included; their product must be `data.length`. */
  readonly shape: readonly number[];
  /**
   * Default: that of a typed array, BYTES for strings, BOOL for booleans, INT64 for bigints.
   * Plain numbers need it, and so does BOOL from a Uint8Array (else UINT8).
   */
  readonly datatype?: Datatype;
  /** Flat and row-major. Read until `infer` resolves; never changed. */
  readonly data:
    NumericArray | readonly number[] | readonly bigint[] | readonly boolean[] | readonly string[];
}

/** Smallest and largest element of each integer datatype. */
export const INTEGER_RANGES: {
  readonly [D in Datatype]?: { readonly min: bigint; readonly max: bigint };
} = {
  UINT8: { min: 0n, max: 2n ** 8n - 1n },
  UINT16: { min: 0n, max: 2n ** 16n - 1n },
  UINT32: { min: 0n, max: 2n ** 32n - 1n },
  UINT64: { min: 0n, max: 2n ** 64n - 1n },
  INT8: { min: -(2n ** 7n), max: 2n ** 7n - 1n },
  INT16: { min: -(2n ** 15n), max: 2n ** 15n - 1n },
  INT32: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  INT64: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
};

/**
 * Is `element` exactly a value of integer `datatype`? A number beyond ±2^53 is not: it may have been rounded.
 */
export function isIntegerOf(datatype: Datatype, element: unknown): element is number | bigint {
  const range = INTEGER_RANGES[datatype];
  if (range === undefined) return false;
  if (typeof element !== "bigint" && !Number.isSafeInteger(element)) return false;
  const exact = element as number | bigint; // just checked
  return exact >= range.min && exact <= range.max;
}

/** @returns the product of `shape`, or undefined when an extent is negative or not a whole number. */
export function elementCountOf(shape: readonly number[]): number | undefined {
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) return undefined;
  return shape.reduce((count, extent) => count * extent, 1);
}
