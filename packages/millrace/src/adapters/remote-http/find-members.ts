import type { JsonReader } from "../../core/json-reader.ts";
import { bodyError } from "../../core/tensor/body-error.ts";

/** Offsets of the values of the members of an object; the reader ends behind it. */
export function findMembers(reader: JsonReader): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>();
  reader.enterObject();
  for (let isFirst = true; ; isFirst = false) {
    const key = reader.nextKey(isFirst);
    if (key === undefined) return offsets;
    if (offsets.has(key)) throw bodyError(["body", key], "stands twice", "duplicate");
    if (offsets.size === MEMBERS_MAX) throw bodyError(["body"], "found too many members");
    offsets.set(key, reader.offset);
    reader.skipValue();
  }
}

/** More members than any reply has at its top. */
const MEMBERS_MAX = 1_000;
