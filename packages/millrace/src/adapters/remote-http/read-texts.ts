import { MillraceError } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import { RANK_MAX } from "../../core/tensor/read-json-array.ts";
import { readText } from "../../core/tensor/raw-tensor.ts";

type Location = readonly (string | number)[];

/** With a length that is a multiple of 4. A group that repeats would need more stack than there is for megabytes. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Texts in nested arrays, each as a string or as `{"b64": …}`, which is how TensorFlow Serving writes bytes.
 * @throws INVALID_TENSOR when one is neither, is no UTF-8, or arrays of one axis differ in length.
 */
export function readTexts(
  value: JsonValue,
  location: Location,
): { readonly data: string[]; readonly shape: number[] } {
  const shape: number[] = [];
  for (let inner: JsonValue | undefined = value; isList(inner); inner = inner[0]) {
    shape.push(inner.length);
  }
  if (shape.length > RANK_MAX) throw invalid(location, "arrays are nested too deep", "shape");
  const data: string[] = [];
  collect(value, 0);
  return { data, shape };

  function collect(part: JsonValue, axis: number): void {
    if (axis === shape.length) data.push(textOf(part, [...location, data.length]));
    else if (isList(part) && part.length === shape[axis]) {
      for (const inner of part) collect(inner, axis + 1);
    } else throw invalid(location, "arrays of one axis differ in length", "shape");
  }
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function textOf(value: JsonValue, location: Location): string {
  if (typeof value === "string" && value.isWellFormed()) return value;
  const bytes =
    typeof value === "object" && value !== null && "b64" in value ? value["b64"] : undefined;
  if (typeof bytes === "string" && bytes.length % 4 === 0 && BASE64.test(bytes)) {
    return readText(Buffer.from(bytes, "base64"), location);
  }
  throw invalid(location, 'expected text, or {"b64": base64}', "type");
}

function invalid(location: Location, message: string, type: string): MillraceError {
  return new MillraceError("INVALID_TENSOR", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type }],
  });
}
