import type { JsonValue } from "../json.ts";

/** The outputs of a prediction by name; one that is one output has the name "". */
export function membersOf(value: JsonValue): readonly (readonly [string, JsonValue])[] {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? Object.entries(value) : [["", value]];
}
