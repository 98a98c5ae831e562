import type { JsonValue } from "../json.ts";

/** Characters of a text that a message shows. */
const SHOWN_LENGTH_MAX = 40;

/** What was found, for a message: scalars as they are, the rest by their kind. */
export function describeValue(value: JsonValue): string {
  if (typeof value === "string") {
    const text = value.length > SHOWN_LENGTH_MAX ? `${value.slice(0, SHOWN_LENGTH_MAX)}…` : value;
    return JSON.stringify(text);
  }
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
