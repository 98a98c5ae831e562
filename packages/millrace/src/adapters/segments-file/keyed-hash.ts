import { createHmac } from "node:crypto";
import type { KeyedHash } from "../../core/predictions/redaction.ts";

/** Bytes of a hash, two hexadecimal digits each: enough that two units never have the same. */
const BYTES = 16;

/** Hashes of one log, the same in every process of it. @param key of `readLogKey`. */
export function keyedHashOf(key: Uint8Array): KeyedHash {
  // A slice of all digits would hold on to the others.
  return (text) => createHmac("sha256", key).update(text).digest().toString("hex", 0, BYTES);
}
