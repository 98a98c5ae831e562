import { BLOCK_MAGIC, HEADER_BYTES } from "./block-format.ts";
import { ByteReader, malformed } from "./byte-reader.ts";

/**
 * When the first record of a block was finished, in microseconds since 1970-01-01 UTC. A process logs in that order, so
 * it tells where in a segment a prediction can be.
 * @returns undefined for a block without records. @throws when it is no block.
 */
export function blockTimeUs(bytes: Uint8Array): number | undefined {
  const reader = new ByteReader(bytes, 0, bytes.length);
  if (reader.u32() !== BLOCK_MAGIC) throw malformed("it does not begin as one");
  if (reader.u32() === 0) return undefined;
  const record = new ByteReader(bytes, HEADER_BYTES, bytes.length);
  record.u32(); // its length
  record.varint(); // its context
  record.u16(); // its flags
  record.u8(); // state of its payload
  const receivedUs = record.f64();
  for (let i = 0; i < 3; i++) record.varint(); // times of its parts
  return receivedUs + record.varint();
}
