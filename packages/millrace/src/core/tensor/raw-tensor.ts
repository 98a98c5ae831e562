import { MillraceError } from "../errors.ts";
import { DATATYPES, storageOver, type Datatype, type TensorData } from "./datatype.ts";
import type { Tensor } from "./tensor.ts";

type Location = readonly (string | number)[];

/** Bytes of the length that stands before each element of BYTES: uint32, little-endian. */
const LENGTH_BYTES = 4;

/** Refuses what is not UTF-8 and keeps a byte order mark, which is a character like any other here. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Texts of one byte a character up to this length are put together faster than decoded. */
const SHORT_TEXT_BYTES = 24;

/**
 * The elements of a tensor in the raw form of the Open Inference Protocol: row-major, little-endian, without
 * padding; BOOL is one byte 0 or 1, each element of BYTES has its length before it.
 *
 * @param bytes all of the tensor and nothing else. Where they lie on a multiple of the element's size the result
 * is a view of them, so they must not change afterwards; else they are copied.
 * @param location of the tensor in the request, for the error.
 * @throws INVALID_TENSOR when the bytes are not `elementCount` elements, a BOOL is neither 0 nor 1, or an element
 * of BYTES is not UTF-8: models take text, so other bytes would reach them changed.
 */
export function readRaw(
  bytes: Uint8Array,
  datatype: Datatype,
  elementCount: number,
  location: Location,
): TensorData {
  if (datatype === "BYTES") return readTexts(bytes, elementCount, location);
  const elementBytes = DATATYPES[datatype].bytes;
  if (bytes.length !== elementCount * elementBytes) {
    const expected = `${elementCount} elements of ${datatype} (${elementCount * elementBytes} bytes)`;
    throw invalid(location, `found ${bytes.length} bytes, shape asks for ${expected}`, "shape");
  }
  if (datatype === "BOOL") checkBooleans(bytes, location);
  const isAligned = bytes.byteOffset % elementBytes === 0;
  return storageOver(datatype, isAligned ? bytes : new Uint8Array(bytes), elementCount);
}

function checkBooleans(bytes: Uint8Array, location: Location): void {
  for (let i = 0; i < bytes.length; i++) {
    const value = bytes[i] as number;
    if (value > 1) throw invalid([...location, i], `found byte ${value}, expected 0 or 1`, "range");
  }
}

function readTexts(bytes: Uint8Array, elementCount: number, location: Location): string[] {
  if (elementCount * LENGTH_BYTES > bytes.length) {
    const message = `found ${bytes.length} bytes, ${elementCount} elements have a length of 4 bytes each`;
    throw invalid(location, message, "shape");
  }
  const lengths = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const texts = new Array<string>(elementCount);
  let at = 0;
  for (let i = 0; i < elementCount; i++) {
    const left = bytes.length - at - LENGTH_BYTES;
    if (left < 0) throw invalid([...location, i], "missing: the bytes end before it", "shape");
    const length = lengths.getUint32(at, true);
    if (length > left) {
      throw invalid([...location, i], `its length is ${length}, ${left} bytes are left`, "shape");
    }
    at += LENGTH_BYTES + length;
    const text = textOf(bytes.subarray(at - length, at));
    if (text === undefined) throw invalid([...location, i], NOT_TEXT, "type");
    texts[i] = text;
  }
  if (at === bytes.length) return texts;
  const message = `found ${bytes.length - at} bytes behind the last of ${elementCount} elements`;
  throw invalid(location, message, "shape");
}

const NOT_TEXT = "found bytes that are not UTF-8, elements of BYTES are text here";

/** One element of BYTES without a length. @throws INVALID_TENSOR when it is not UTF-8. */
export function readText(bytes: Uint8Array, location: Location): string {
  const text = textOf(bytes);
  if (text === undefined) throw invalid(location, NOT_TEXT, "type");
  return text;
}

function textOf(bytes: Uint8Array): string | undefined {
  const ascii = shortAscii(bytes);
  if (ascii !== undefined) return ascii;
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function shortAscii(bytes: Uint8Array): string | undefined {
  if (bytes.length > SHORT_TEXT_BYTES) return undefined;
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Bytes of a tensor in raw form. */
export function rawByteLength({ data }: Tensor): number {
  if (!Array.isArray(data)) return data.byteLength;
  let length = data.length * LENGTH_BYTES;
  for (const text of data) length += Buffer.byteLength(text);
  return length;
}

/**
 * Writes a tensor in raw form.
 * @param target has `rawByteLength(tensor)` bytes left at `at`.
 * @returns the offset behind the tensor.
 */
export function writeRaw({ data }: Tensor, target: Uint8Array, at: number): number {
  if (!Array.isArray(data)) {
    target.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    return at + data.byteLength;
  }
  const lengths = new DataView(target.buffer, target.byteOffset, target.length);
  const encoder = new TextEncoder();
  let offset = at;
  for (const text of data) {
    const { written } = encoder.encodeInto(text, target.subarray(offset + LENGTH_BYTES));
    lengths.setUint32(offset, written, true);
    offset += LENGTH_BYTES + written;
  }
  return offset;
}

/**
 * Typed arrays have the host's byte order, the protocol has little-endian: refuses to start elsewhere.
 * @throws INTERNAL on a big-endian host.
 */
export function checkByteOrder(): void {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] === 1) return;
  throw new MillraceError("INTERNAL", "Cannot serve binary tensors: this host is big-endian");
}

function invalid(location: Location, message: string, type: string): MillraceError {
  return new MillraceError("INVALID_TENSOR", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type }],
  });
}
