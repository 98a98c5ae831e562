import { MillraceError, type ErrorCode } from "../../core/errors.ts";
import { LOG_TABLES } from "../../core/predictions/log-block.ts";
import { messageOf } from "../../core/message-of.ts";

/** A list of candidates, or a long line of SQL, is cut here. */
const MESSAGE_CHARACTERS_MAX = 2_000;

/** `Binder Error: Referenced column …` */
const KIND = /^(?:[\w ]*: )?(?<kind>[A-Z][\w -]*?) Error: (?<text>.*)$/su;

/** Kinds of errors that the SQL is to blame for. */
const WRONG_SQL: ReadonlySet<string> = new Set([
  "Binder",
  "Catalog",
  "Constraint",
  "Conversion",
  "Dependency",
  "Expression",
  "Invalid",
  "Invalid Input",
  "Invalid type",
  "Mismatch Type",
  "Missing Extension",
  "Not implemented",
  "Out of Range",
  "Parameter Not Allowed",
  "Parameter Not Resolved",
  "Parser",
  "Permission",
  "Sequence",
  "Syntax",
  "TransactionContext",
]);

/**
 * What DuckDB has against a query, with its hints and the place in the SQL, and without what is ours.
 * @returns INVALID_QUERY, or QUERY_TOO_LARGE when the memory is too small; the error itself when the query is not to blame.
 */
export function queryError(error: unknown): unknown {
  if (error instanceof MillraceError) return error;
  const { kind = "", text = "" } = KIND.exec(messageOf(error))?.groups ?? {};
  if (kind === "Out of Memory") return tooLarge();
  if (kind === "Permission" || text.includes("external extensions")) {
    return invalid(`files and addresses are out of its reach, ask the tables ${TABLES}`);
  }
  if (kind === "Missing Extension") {
    return invalid(`it needs an extension of DuckDB, and none is loaded here`);
  }
  return WRONG_SQL.has(kind) ? invalid(plain(text)) : error;
}

/** Is a file of the snapshot not there any more? Another one has its rows by now. */
export function isFileGone(error: unknown): boolean {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
  return /^IO Error: .*(?:No such file|No files found)/su.test(messageOf(error));
}

const TABLES = LOG_TABLES.join(" and ");

function invalid(why: string): MillraceError {
  const code: ErrorCode = "INVALID_QUERY";
  const problems = [{ location: ["body", "sql"], message: why, type: "sql" }];
  return new MillraceError(code, `Cannot run the query: ${why}`, { problems });
}

function tooLarge(): MillraceError {
  return new MillraceError(
    "QUERY_TOO_LARGE",
    "Cannot run the query: it needs more memory than log.query.memoryMax; group, filter or name fewer columns",
  );
}

/** `Referenced column "foo" not found in FROM clause! Candidate bindings: "role"`, then the line with a caret below the place. */
function plain(text: string): string {
  const short =
    text.length > MESSAGE_CHARACTERS_MAX ? `${text.slice(0, MESSAGE_CHARACTERS_MAX)}…` : text;
  return short
    .trimEnd()
    .replace(/!\n/g, "; ")
    .replace(/^./u, (first) => first.toLowerCase());
}
