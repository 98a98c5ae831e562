import { crc32 } from "node:zlib";

/**
 * A segment is a row of frames, each a header and the bytes of a block. An end frame without bytes says that nothing
 * follows any more. Numbers are little-endian.
 *
 *  0 magic           4 bytes no text contains
 *  4 salt            of the segment, random: bytes of a block that look like a frame are none
 *  8 kind            1 a block, 2 the end; 9 version of the format, 10 0
 * 12 payloadBytes
 * 16 recordCount
 * 20 payloadCrc      crc32 of the bytes
 * 24 headerCrc       crc32 of the 24 bytes before it: tells a wrong length from wrong bytes
 * 28 the bytes
 */
export const FRAME_HEADER_BYTES = 28;

/** Most bytes of a block; more in a header is damage. */
export const PAYLOAD_BYTES_MAX = 72 * 2 ** 20;

export interface FrameHeader {
  readonly salt: number;
  readonly isEnd: boolean;
  readonly payloadBytes: number;
  readonly recordCount: number;
  readonly payloadCrc: number;
}

export const FRAME_MAGIC: Uint8Array = Uint8Array.of(0x89, 0x4d, 0x53, 0x0a);
const KIND_BLOCK = 1;
const KIND_END = 2;
const VERSION = 1;

const MAGIC_NUMBER = new DataView(FRAME_MAGIC.buffer).getUint32(0, true);
const CRC_AT = 24;

/** Header of a block's frame. */
export function blockHeader(salt: number, recordCount: number, payload: Uint8Array): Uint8Array {
  const payloadCrc = crc32(payload);
  const payloadBytes = payload.length;
  return writeHeader({ salt, isEnd: false, payloadBytes, recordCount, payloadCrc });
}

/** The whole end frame. */
export function endFrame(salt: number): Uint8Array<ArrayBuffer> {
  return writeHeader({ salt, isEnd: true, payloadBytes: 0, recordCount: 0, payloadCrc: 0 });
}

/** @returns undefined when there is no whole and undamaged header at `offset`. */
export function readFrameHeader(bytes: Uint8Array, offset: number): FrameHeader | undefined {
  if (offset + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, FRAME_HEADER_BYTES);
  if (view.getUint32(0, true) !== MAGIC_NUMBER) return undefined;
  const headerCrc = crc32(bytes.subarray(offset, offset + CRC_AT));
  if (headerCrc !== view.getUint32(CRC_AT, true)) return undefined;
  const kind = view.getUint8(8);
  const payloadBytes = view.getUint32(12, true);
  const isKnown = view.getUint8(9) === VERSION && (kind === KIND_BLOCK || kind === KIND_END);
  if (!isKnown || payloadBytes > PAYLOAD_BYTES_MAX) return undefined;
  return {
    salt: view.getUint32(4, true),
    isEnd: kind === KIND_END,
    payloadBytes,
    recordCount: view.getUint32(16, true),
    payloadCrc: view.getUint32(20, true),
  };
}

function writeHeader(header: FrameHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC_NUMBER, true);
  view.setUint32(4, header.salt, true);
  view.setUint8(8, header.isEnd ? KIND_END : KIND_BLOCK);
  view.setUint8(9, VERSION);
  view.setUint32(12, header.payloadBytes, true);
  view.setUint32(16, header.recordCount, true);
  view.setUint32(20, header.payloadCrc, true);
  view.setUint32(CRC_AT, crc32(bytes.subarray(0, CRC_AT)), true);
  return bytes;
}
