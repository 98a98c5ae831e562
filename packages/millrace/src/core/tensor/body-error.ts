import { MillraceError } from "../errors.ts";
import type { JsonKind, JsonReader } from "../json-reader.ts";

type Location = readonly (string | number)[];

/** INVALID_BODY about one place. */
export function bodyError(location: Location, message: string, type = "body"): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type }],
  });
}

/** @throws INVALID_BODY when the next value is of another kind; `expected` says what should be there. */
export function expectKind(
  reader: JsonReader,
  kind: JsonKind,
  location: Location,
  expected: string,
): void {
  if (reader.peek() === kind) return;
  throw bodyError(location, `found ${reader.peek()}, expected ${expected}`);
}
