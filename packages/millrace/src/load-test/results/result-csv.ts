import { readHeaderBlock, writeHeaderBlock } from "./header-block.ts";
import type { StoredResult } from "./stored-result.ts";

/** The fields of a record, by name. */
const FIELDS = [
  "timestamp",
  "code",
  "latency",
  "bytes out",
  "bytes in",
  "error",
  "body",
  "attack",
  "seq",
  "method",
  "URL",
  "headers",
] as const;

type Texts<Names extends readonly string[]> = { readonly [At in keyof Names]: string };

/** Which of them are whole numbers, beside the timestamp. */
const NUMBERS = [1, 2, 3, 4, 8];

/** Quoted by Go's csv writer: also what begins with a space, and what some databases take for the end of the data. */
const QUOTED = /[,"\r\n]|^\s|^\\\.$/u;

/** A result as a record of vegeta's csv, with its end of line. Times in ns, body and headers in base64. */
export function writeCsvResult(result: StoredResult): string {
  const numbers = `${result.timestampNs},${result.code},${result.latencyNs},${result.bytesOut},${result.bytesIn}`;
  const asked = `${result.seq},${field(result.method)},${field(result.url)}`;
  const said = `${field(result.error)},${result.body ?? ""},${field(result.attack)}`;
  return `${numbers},${said},${asked},${writeHeaderBlock(result.headers)}\n`;
}

/** @returns what is wrong with the record, as a text, where there is something. */
export function readCsvResult(record: readonly string[]): StoredResult | string {
  if (record.length !== FIELDS.length) {
    return `expected ${FIELDS.length} fields, found ${record.length}`;
  }
  const [timestamp, code, latency, bytesOut, bytesIn, ...texts] = record as Texts<typeof FIELDS>;
  const [error, body, attack, seq, method, url, headers] = texts;
  if (!/^-?\d{1,19}$/u.test(timestamp)) return `"${timestamp}" is no time in ns`;
  const result = {
    attack,
    seq: wholeOf(seq),
    code: wholeOf(code),
    timestampNs: BigInt(timestamp),
    latencyNs: wholeOf(latency),
    bytesOut: wholeOf(bytesOut),
    bytesIn: wholeOf(bytesIn),
    error,
    body,
    method,
    url,
    headers: readHeaderBlock(headers),
  };
  // A sum with what is no number is none either, so that one look tells of all.
  const { seq: number, latencyNs } = result;
  const isWhole = !Number.isNaN(
    number + result.code + latencyNs + result.bytesOut + result.bytesIn,
  );
  return isWhole ? result : notWhole(record);
}

/** Digits only, behind a minus or none; NaN of anything else. */
function wholeOf(text: string): number {
  const first = text.startsWith("-") ? 1 : 0;
  if (text.length === first) return NaN;
  for (let i = first; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return NaN;
  }
  return Number(text);
}

/** Of a record in which a number is none. */
function notWhole(record: readonly string[]): string {
  const at = NUMBERS.find((field) => Number.isNaN(wholeOf(record[field] ?? ""))) ?? 0;
  return `"${record[at] ?? ""}" is no whole number (${FIELDS[at] ?? ""})`;
}

function field(text: string): string {
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
