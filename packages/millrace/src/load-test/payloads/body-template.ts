import { didYouMean } from "../../config/did-you-mean.ts";
import { LoadInputError } from "../load-input-error.ts";
import type { BatchSize, BodyPart, LoadBody, RowTable } from "./load-target.ts";

export interface BodyFilling {
  /** Of `--data`. */
  readonly rows: RowTable | undefined;
  /** Of `{{rows}}`. */
  readonly sizes: readonly BatchSize[];
}

const OPEN = Buffer.from("{{");
const CLOSE = Buffer.from("}}");

/** What is longer is no placeholder. */
const NAME_BYTES_MAX = 200;

const NAMES = ["row", "rows", "count", "seq", "uuid"] as const;

const ROW_COLUMN = "row.";

/** Columns that are listed where none has the name. */
const COLUMNS_SHOWN = 20;

/**
 * Finds `{{row}}`, `{{row.NAME}}`, `{{rows}}`, `{{count}}`, `{{seq}}` and `{{uuid}}` in a body. Other words in such
 * braces stay as they are: prompts of language models are full of them.
 * @param where begins messages: the name of a file.
 * @throws LoadInputError for a placeholder that cannot be filled, and for a name that is nearly one.
 */
export function parseBody(bytes: Uint8Array, filling: BodyFilling, where: string): LoadBody {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: BodyPart[] = [];
  let plainFrom = 0;
  let close = -1;
  for (let open = body.indexOf(OPEN); open !== -1; open = body.indexOf(OPEN, open + 1)) {
    // The one that was found before may be that of this one too: each byte is looked at once.
    if (close < open) close = body.indexOf(CLOSE, open);
    if (close === -1) break;
    if (close - open > NAME_BYTES_MAX) continue;
    const name = body.toString("utf8", open + OPEN.length, close).trim();
    const part = placeholder(name, filling, () => `${where}:${lineAt(body, open)}`);
    if (part === undefined) continue;
    if (open > plainFrom) parts.push(plain(body, plainFrom, open));
    parts.push(part);
    plainFrom = close + CLOSE.length;
    open = plainFrom - 1;
  }
  if (plainFrom < body.length) parts.push(plain(body, plainFrom, body.length));
  return parts;
}

/** @returns undefined for what is none. */
function placeholder(
  name: string,
  { rows, sizes }: BodyFilling,
  where: () => string,
): BodyPart | undefined {
  const kind = NAMES.find((known) => known === name);
  if (kind === "seq" || kind === "uuid" || kind === "count") return { kind };
  if (kind === undefined && !name.startsWith(ROW_COLUMN)) {
    refuseNearMiss(name, rows, where);
    return undefined;
  }
  if (rows === undefined) {
    throw new LoadInputError(`${where()}: {{${name}}} needs rows: give a file of them with --data`);
  }
  if (kind === "rows") return { kind, sizes };
  if (kind === "row") return { kind };
  const column = rows.columns.indexOf(name.slice(ROW_COLUMN.length));
  if (column !== -1) return { kind: "column", column };
  throw new LoadInputError(
    `${where()}: {{${name}}} names no column of the data: it has ${listOf(rows.columns)}`,
  );
}

function refuseNearMiss(name: string, rows: RowTable | undefined, where: () => string): void {
  const meant = rows?.columns.includes(name) === true ? `${ROW_COLUMN}${name}` : nearest(name);
  if (meant === undefined) return;
  throw new LoadInputError(`${where()}: {{${name}}} is unknown, did you mean {{${meant}}}?`);
}

/** Of a word only: a body may have anything else in such braces. */
function nearest(name: string): string | undefined {
  return /^[A-Za-z]{3,6}$/.test(name) ? didYouMean(name, NAMES) : undefined;
}

function listOf(columns: readonly string[]): string {
  const shown = columns.slice(0, COLUMNS_SHOWN).join(", ");
  const more = columns.length - COLUMNS_SHOWN;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** A copy, so that a thread gets these bytes and not the whole file they are from. */
function plain(body: Buffer, from: number, to: number): BodyPart {
  return { kind: "bytes", bytes: Uint8Array.from(body.subarray(from, to)) };
}

function lineAt(body: Buffer, offset: number): number {
  let line = 1;
  for (let at = body.indexOf(10); at !== -1 && at < offset; at = body.indexOf(10, at + 1)) line++;
  return line;
}
