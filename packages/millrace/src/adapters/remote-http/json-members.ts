import type { JsonValue } from "../../core/json.ts";

type JsonObject = { readonly [key: string]: JsonValue };

/** The value itself when it is an object, else one without members. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : {};
}

/** The value itself when it is a list, else one without elements. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}
