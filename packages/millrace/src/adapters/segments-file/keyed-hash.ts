import { createHmac } from "node:crypto";
import type { KeyedHash } from "../../core/predictions/redaction.ts";

/** Hexadecimal digits of a hash: enough that two units never have the same. */
const DIGITS = 32;

/** Hashes of one log, the same in every process of it. @param key of `readLogKey`. */
export function keyedHashOf(key: Uint8Array): KeyedHash {
  return (text) => createHmac("sha256", key).update(text).digest("hex").slice(0, DIGITS);
}
