import type { JsonValue } from "../json.ts";
import type { JsonPath } from "./attributes.ts";

/** The value at `path`; undefined when there is none. A number is an index of a list, or a key of an object. */
export function valueAtPath(root: JsonValue, path: JsonPath): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const segment of path) {
    if (typeof value !== "object" || value === null) return undefined;
    if (isList(value)) value = typeof segment === "number" ? value[segment] : undefined;
    else value = Object.hasOwn(value, segment) ? value[segment] : undefined;
  }
  return value;
}

/** `Array.isArray` does not narrow a readonly list. */
function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
