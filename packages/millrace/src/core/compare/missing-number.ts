import type { JsonValue } from "../json.ts";

/** NaN has no JSON form and is null there. */
export function isMissing(value: JsonValue): boolean {
  return value === null || (typeof value === "number" && Number.isNaN(value));
}
