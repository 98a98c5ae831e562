import { writeExactJson } from "../exact-json.ts";
import type { JsonValue } from "../json.ts";
import type { Comparator } from "./comparison.ts";
import { isMissing } from "./missing-number.ts";
import { at, valuePairs } from "./value-pairs.ts";

/** Agreed when every value is the same; missing numbers are the same as each other. Its distance counts those that differ. */
export const compareEqual: Comparator = (reference, other) => {
  const pairs = valuePairs(reference.value, other.value);
  if ("mismatch" in pairs) return { isAgreed: false, detail: pairs.mismatch };
  const different = pairs.filter((pair) => !isSame(pair.reference, pair.other));
  const [first] = different;
  if (first === undefined) return { isAgreed: true, distance: 0 };
  const found = `found ${writeExactJson(first.other)}, expected ${writeExactJson(first.reference)}`;
  return { isAgreed: false, distance: different.length, detail: at(first.place, found) };
};

function isSame(a: JsonValue, b: JsonValue): boolean {
  if (isMissing(a) || isMissing(b)) return isMissing(a) && isMissing(b);
  return exact(a) === exact(b);
}

/** A whole number is the same whether it was read as a bigint or not. */
function exact(value: JsonValue): JsonValue {
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value;
}
