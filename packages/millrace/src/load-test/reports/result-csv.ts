import { readHeaderBlock, writeHeaderBlock } from "./header-block.ts";
import type { StoredResult } from "./stored-result.ts";

/** Timestamp, code, latency, bytes out, bytes in, error, body, attack, seq, method, URL, headers. */
export const RESULT_CSV_FIELDS = 12;

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
  if (record.length !== RESULT_CSV_FIELDS) {
    return `expected ${RESULT_CSV_FIELDS} fields, found ${record.length}`;
  }
  const [timestamp = "", code, latency, bytesOut, bytesIn, error = "", body, attack = ""] = record;
  const [seq, method = "", url = "", headers = ""] = record.slice(8);
  if (!/^-?\d{1,19}$/u.test(timestamp)) return `"${timestamp}" is no time in ns`;
  const numbers = { code, latencyNs: latency, bytesOut, bytesIn, seq };
  for (const [name, text = ""] of Object.entries(numbers)) {
    if (!/^-?\d+$/u.test(text)) return `"${text}" is no whole number (${name})`;
  }
  return {
    attack,
    seq: Number(seq),
    code: Number(code),
    timestampNs: BigInt(timestamp),
    latencyNs: Number(latency),
    bytesOut: Number(bytesOut),
    bytesIn: Number(bytesIn),
    error,
    body,
    method,
    url,
    headers: readHeaderBlock(headers),
  };
}

function field(text: string): string {
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
