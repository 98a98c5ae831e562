import { MillraceClientError } from "./client-error.ts";

/** A value read from JSON. Whole numbers beyond ±2^53 are bigint where the engine shows their text. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue };

export type NumericArray =
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** A value that can be written as JSON: also bigint and typed arrays. Undefined members are left out. */
export type JsonInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | NumericArray
  | readonly JsonInput[]
  | { readonly [member: string]: JsonInput | undefined };

/**
 * Writes JSON: bigint with all its digits, a typed array as an array, −0 as `-0`.
 * `JSON.stringify` throws on the first, makes an object of the second and loses the third.
 *
 * @throws INVALID_BODY for NaN and ±Infinity, which `JSON.stringify` would turn into null.
 */
export function writeJson(value: JsonInput): string {
  return writeValue(value, ["body"]);
}

/**
 * Reads JSON, with whole numbers beyond ±2^53 as bigint. An engine without source text access in
 * `JSON.parse` revivers (Firefox < 135, Safari < 18.4) gives them as rounded numbers, which the tensor
 * reader then refuses for INT64 and UINT64.
 *
 * @throws SyntaxError when `text` is not JSON.
 */
export function readJson(text: string): JsonValue {
  // A reviver is called for every element, so it is used only where 16 digits stand outside a fraction.
  const value: unknown = /(?<![\d.])\d{16}/.test(text)
    ? JSON.parse(text, reviveExact)
    : JSON.parse(text);
  return value as JsonValue; // JSON.parse makes nothing else, and the reviver adds bigint
}

/** @returns the exact bigint for a whole number that `value` had to round; otherwise `value`. */
export function reviveExact(
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

export function isJsonObject(
  value: JsonValue | undefined,
): value is { readonly [member: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param location where `value` stands; pushed and popped while walking, so one array serves a whole body. */
function writeValue(value: JsonInput, location: (string | number)[]): string {
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "bigint":
      return value.toString();
    case "number":
      if (!Number.isFinite(value)) throw refusal(value, location);
      return Object.is(value, -0) ? "-0" : String(value);
    case "object":
      if (value === null) return "null";
      return isArrayLike(value) ? writeArray(value, location) : writeObject(value, location);
    default:
      throw refusal(value, location); // undefined, a function: only untyped callers get here
  }
}

function writeArray(array: ArrayLike<JsonInput>, location: (string | number)[]): string {
  const elements = Array.from(array, (element, index) => writeAt(index, element, location));
  return `[${elements.join(",")}]`;
}

function writeObject(
  object: { readonly [member: string]: JsonInput | undefined },
  location: (string | number)[],
): string {
  const members: string[] = [];
  for (const [name, member] of Object.entries(object)) {
    if (member === undefined) continue;
    members.push(`${JSON.stringify(name)}:${writeAt(name, member, location)}`);
  }
  return `{${members.join(",")}}`;
}

function writeAt(key: string | number, value: JsonInput, location: (string | number)[]): string {
  location.push(key);
  const text = writeValue(value, location);
  location.pop();
  return text;
}

function isArrayLike(value: JsonInput & object): value is NumericArray | readonly JsonInput[] {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

function refusal(value: unknown, location: readonly (string | number)[]): MillraceClientError {
  const message = `Cannot write ${location.join(".")}: it is ${String(value)}, which has no JSON form`;
  return new MillraceClientError("INVALID_BODY", message, {
    problems: [{ location: [...location], message, type: "range" }],
  });
}
