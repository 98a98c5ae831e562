import type { Datatype, DatatypeArrays } from "./tensor.ts";

/** Datatypes of a fixed size, and what holds them. Of BYTES each element has its length before it. */
const ARRAYS = {
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

const LENGTH_BYTES = 4;

/**
 * The elements of an output from their raw form: little-endian, row-major, without padding.
 * @returns storage of its own, exactly as large as its elements.
 * @throws RangeError when the bytes are not `count` elements, or text is not UTF-8.
 */
export function decodeRaw<D extends Datatype>(
  datatype: D,
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
): DatatypeArrays[D] {
  // The table's row for `datatype` makes the array of `datatype`; TypeScript cannot follow that.
  if (datatype === "BYTES") return decodeTexts(bytes, count) as DatatypeArrays[D];
  const Elements = ARRAYS[datatype as Exclude<Datatype, "BYTES">];
  if (bytes.length !== count * Elements.BYTES_PER_ELEMENT) {
    throw new RangeError(`${bytes.length} bytes are not ${count} elements of ${datatype}`);
  }
  return new Elements(bytes.slice().buffer) as unknown as DatatypeArrays[D];
}

function decodeTexts(bytes: Uint8Array, count: number): string[] {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const lengths = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const texts: string[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length) {
    const end = at + LENGTH_BYTES + lengths.getUint32(at, true);
    if (end > bytes.length) break;
    texts.push(decodeText(decoder, bytes.subarray(at + LENGTH_BYTES, end), texts.length));
    at = end;
  }
  if (at === bytes.length && texts.length === count) return texts;
  throw new RangeError(`${bytes.length} bytes are not ${count} elements of BYTES`);
}

function decodeText(
  decoder: { decode(bytes: Uint8Array): string },
  bytes: Uint8Array,
  index: number,
): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new RangeError(`element ${index} is not UTF-8`);
  }
}
