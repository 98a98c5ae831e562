import { JsonReader } from "./json-reader.ts";
import type { JsonValue } from "./json.ts";

/** Of ECMAScript, and not in TypeScript's library yet: what `stringify` writes as it is. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** A value as JSON text; whole numbers beyond 2^53 keep every digit. */
export function writeExactJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "bigint" ? rawJSON(part.toString()) : part,
  );
}

/** The value of a JSON text; whole numbers beyond 2^53 become bigint. @throws INVALID_JSON */
export function readExactJson(text: string): JsonValue {
  return new JsonReader(new TextEncoder().encode(text)).readValue();
}
