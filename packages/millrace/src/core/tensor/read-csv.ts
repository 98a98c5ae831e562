import { MillraceError } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import type { Frame } from "./frame.ts";

/**
 * Reads CSV (RFC 4180) with a header line. A field that is a number becomes one, an empty field is a missing
 * value, `true` and `false` are booleans in any case (pandas writes `True`); a quoted field is always text.
 * @throws INVALID_BODY for an unclosed quote or a missing header.
 */
export function readCsv(text: string): Frame {
  const [header, ...lines] = parseLines(text);
  if (header === undefined) throw badCsv("the body is empty, expected a header line and rows");
  return {
    columns: header.map((name) => (typeof name === "string" ? name : "")),
    rows: lines,
    locate: (row, column) => ["body", row + 1, column],
  };
}

/** Longest whole number beyond 2^53 that is kept exact: no datatype has more than 20 digits. */
const INTEGER_DIGITS_MAX = 40;

function parseLines(text: string): JsonValue[][] {
  const lines: JsonValue[][] = [];
  const field = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let line: JsonValue[] = [];
  while (field.lastIndex < text.length) {
    const from = field.lastIndex;
    const match = field.exec(text);
    if (match === null) throw badCsv(`the quotes at character ${from} do not close`);
    const [, quoted, plain = "", separator] = match;
    // Names of columns are text, whatever they look like.
    if (quoted !== undefined) line.push(quoted.replaceAll('""', '"'));
    else line.push(lines.length === 0 ? plain.trim() : plainValue(plain));
    if (separator === ",") {
      if (field.lastIndex === text.length) line.push(null);
      else continue;
    }
    lines.push(line);
    line = [];
  }
  if (line.length > 0) lines.push(line);
  return lines;
}

function plainValue(field: string): JsonValue {
  const text = field.trim();
  if (text === "") return null;
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  if (/^-?\d+$/.test(text)) {
    const value = Number(text);
    const isBig = !Number.isSafeInteger(value) && text.length <= INTEGER_DIGITS_MAX;
    return isBig ? BigInt(text) : value;
  }
  return /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : field;
}

function badCsv(message: string): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read body: ${message}`, {
    problems: [{ location: ["body"], message, type: "csv" }],
  });
}
