import { messageOf } from "../../core/message-of.ts";
import { readCsv } from "../../core/tensor/read-csv.ts";
import { LoadInputError } from "../load-input-error.ts";
import { RowTableBuilder } from "./row-table-builder.ts";

/** Values of so many bytes of text are in memory at a time. */
const PIECE_BYTES = 1024 * 1024;

const LINE_FEED = 0x0a;
const QUOTE = 0x22;

/**
 * Reads csv with a header as a server of Millrace does: a field that is a number becomes one, an empty one null.
 * @throws LoadInputError
 */
export function addCsvRows(path: string, bytes: Uint8Array): RowTableBuilder {
  let header = "";
  let builder: RowTableBuilder | undefined;
  for (const piece of piecesOf(bytes)) {
    const text = decode(path, piece);
    const { columns, rows } = parse(path, header + text);
    if (builder === undefined) {
      header = headerOf(path, columns);
      builder = new RowTableBuilder(path, columns);
    }
    for (const row of rows) {
      const isBlankLine = row.length === 1 && row[0] === null && columns.length > 1;
      if (!isBlankLine) builder.addRow(row);
    }
  }
  return builder ?? new RowTableBuilder(path, []);
}

/** Whole lines: those with line feeds in quotes are not cut. */
function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) isQuoted = !isQuoted;
    const isEnd = byte === LINE_FEED && !isQuoted && at - from >= PIECE_BYTES;
    if (!isEnd) continue;
    yield bytes.subarray(from, at + 1);
    from = at + 1;
  }
  if (from < bytes.length) yield bytes.subarray(from);
}

/** The decoder takes a byte order mark away. */
function decode(path: string, piece: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(piece);
  } catch {
    throw new LoadInputError(`${path}: the text is not UTF-8`);
  }
}

function parse(path: string, text: string): ReturnType<typeof readCsv> {
  try {
    return readCsv(text);
  } catch (error) {
    throw new LoadInputError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** @returns the header line of the first piece, for those behind it. */
function headerOf(path: string, columns: readonly string[]): string {
  const [only = ""] = columns;
  if (columns.length === 1 && /[;\t]/.test(only)) {
    throw new LoadInputError(
      `${path}: columns are separated by commas, found ${JSON.stringify(only)}`,
    );
  }
  return `${columns.map((name) => `"${name.replaceAll('"', '""')}"`).join(",")}\n`;
}
