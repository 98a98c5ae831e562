/**
 * Tensor element types, named as the Open Inference Protocol names them.
 * FP16 and BF16 are kept as their raw 16 bits: JavaScript computes with neither.
 */
export const DATATYPES = {
  BOOL: { bytes: 1, json: "boolean" },
  UINT8: { bytes: 1, json: "integer", min: 0n, max: 255n },
  UINT16: { bytes: 2, json: "integer", min: 0n, max: 65535n },
  UINT32: { bytes: 4, json: "integer", min: 0n, max: 4294967295n },
  UINT64: { bytes: 8, json: "integer", min: 0n, max: 18446744073709551615n },
  INT8: { bytes: 1, json: "integer", min: -128n, max: 127n },
  INT16: { bytes: 2, json: "integer", min: -32768n, max: 32767n },
  INT32: { bytes: 4, json: "integer", min: -2147483648n, max: 2147483647n },
  INT64: { bytes: 8, json: "integer", min: -9223372036854775808n, max: 9223372036854775807n },
  FP16: { bytes: 2, json: "none" },
  BF16: { bytes: 2, json: "none" },
  FP32: { bytes: 4, json: "number" },
  FP64: { bytes: 8, json: "number" },
  BYTES: { bytes: 0, json: "string" },
} as const satisfies Record<string, DatatypeRow>;

interface DatatypeRow {
  /** Bytes of one element; 0 when elements differ in length. */
  readonly bytes: number;
  /** What one element is in JSON; `none` has no JSON form. */
  readonly json: "boolean" | "integer" | "number" | "string" | "none";
  readonly min?: bigint;
  readonly max?: bigint;
}

export type Datatype = keyof typeof DATATYPES;

/** The elements of a tensor, row-major. BOOL is one byte 0 or 1; BYTES is text (UTF-8 on every wire). */
export type TensorData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | string[];

const CONSTRUCTORS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

/** @returns zeroed storage for `elementCount` elements; empty strings for BYTES. */
export function allocate(datatype: Datatype, elementCount: number): TensorData {
  if (datatype === "BYTES") return new Array<string>(elementCount).fill("");
  return new CONSTRUCTORS[datatype](elementCount);
}

/** @returns storage of `elementCount` elements over bytes that are there already, at a multiple of their size. */
export function storageOver(
  datatype: Exclude<Datatype, "BYTES">,
  { buffer, byteOffset }: Uint8Array,
  elementCount: number,
): TensorData {
  return new CONSTRUCTORS[datatype](buffer as ArrayBuffer, byteOffset, elementCount);
}

/** Is `data` the storage that `allocate` makes for this type? */
export function isStorageOf(datatype: Datatype, data: TensorData): boolean {
  return datatype === "BYTES" ? Array.isArray(data) : data instanceof CONSTRUCTORS[datatype];
}

export function isDatatype(text: string): text is Datatype {
  return Object.hasOwn(DATATYPES, text);
}
