import { crc32 } from "node:zlib";
import { rawByteLength, writeRaw } from "../../core/tensor/raw-tensor.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { CachedTensors } from "../../ports/tensor-cache.ts";

/**
 * A stored value, little-endian:
 *
 *     0  4 bytes  "MRC" and the version of this form
 *     4  uint32   CRC-32 of the key, then of everything from byte 8
 *     8  float64  when it was made, in milliseconds since 1970
 *    16  uint32   number of tensors
 *    20  text     who made it, may be empty; then for each tensor
 *                 text name, text datatype (uint32 bytes, then UTF-8)
 *                 uint32 rank, uint32 extents
 *                 uint32 bytes of the elements, zeros up to a multiple of 8, the elements in raw form
 */
export const MAGIC = 0x02_43_52_4d; // "MRC", 2
const CHECKED_FROM = 8;

/** Elements begin at a multiple of it, so that they can be read where they lie. */
const ALIGNMENT = 8;

const UINT32_MAX = 0xffff_ffff;

/**
 * @param bytesMax of the whole value.
 * @returns undefined for what this form does not hold: more bytes, an extent of more than 32 bits, text that is not
 * well-formed.
 */
export function encodeCached(
  key: string,
  { outputs, storedWallMs, madeBy = "" }: CachedTensors,
  bytesMax: number,
): Buffer | undefined {
  if (!outputs.every(isEncodable) || !madeBy.isWellFormed()) return undefined;
  const from = 20 + 4 + Buffer.byteLength(madeBy);
  let length = from;
  for (const tensor of outputs) length = endOf(tensor, length);
  if (length > bytesMax) return undefined;
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeDoubleLE(storedWallMs, 8);
  bytes.writeUInt32LE(outputs.length, 16);
  let at = writeText(madeBy, bytes, 20);
  for (const tensor of outputs) at = writeTensor(tensor, bytes, at);
  bytes.writeUInt32LE(checksumOf(key, bytes), 4);
  return bytes;
}

/** Depends on the key as well: a value that was put under another one is none. */
export function checksumOf(key: string, bytes: Uint8Array): number {
  return crc32(bytes.subarray(CHECKED_FROM), crc32(key));
}

function isEncodable({ shape, data }: Tensor): boolean {
  if (shape.some((extent) => extent > UINT32_MAX)) return false;
  return !Array.isArray(data) || data.every((text) => text.isWellFormed());
}

function endOf(tensor: Tensor, at: number): number {
  const texts = Buffer.byteLength(tensor.name) + Buffer.byteLength(tensor.datatype);
  return aligned(at + 8 + texts + 4 + 4 * tensor.shape.length + 4) + rawByteLength(tensor);
}

function writeTensor(tensor: Tensor, bytes: Buffer, from: number): number {
  let at = writeText(tensor.datatype, bytes, writeText(tensor.name, bytes, from));
  at = bytes.writeUInt32LE(tensor.shape.length, at);
  for (const extent of tensor.shape) at = bytes.writeUInt32LE(extent, at);
  at = bytes.writeUInt32LE(rawByteLength(tensor), at);
  return writeRaw(tensor, bytes, aligned(at));
}

function writeText(text: string, bytes: Buffer, at: number): number {
  const length = bytes.write(text, at + 4);
  bytes.writeUInt32LE(length, at);
  return at + 4 + length;
}

/** The first multiple of the alignment from `at` on. */
export function aligned(at: number): number {
  return Math.ceil(at / ALIGNMENT) * ALIGNMENT;
}
