import type { JsonValue } from "../core/json.ts";
import type { QueryResult } from "../ports/query-engine.ts";
import { tableText } from "./table-text.ts";

type Rows = Extract<QueryResult, { readonly kind: "rows" }>;

const NUMERIC = /^U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?$|^(?:DOUBLE|FLOAT|DECIMAL)/;

/** As `POST /api/v1/query` answers it. */
export function queryJson({ columns, rows, isCut, tookMs }: Rows): string {
  return `${JSON.stringify({ columns, rows, cut: isCut, took_ms: tookMs })}\n`;
}

/** A table for people. @param width characters of a line; Infinity leaves nothing out. */
export function queryTable({ columns, rows, tookMs }: Rows, width: number): string {
  // A plan is a drawing of its own.
  if (columns[1]?.name === "explain_value")
    return rows.map((row) => `${cellText(row[1])}\n`).join("");
  const head = columns.map(({ name, type }) => ({ name, isRight: NUMERIC.test(type) }));
  const cells = rows.map((row) => row.map(cellText));
  const count = `${rows.length} row${rows.length === 1 ? "" : "s"}, ${tookMs} ms`;
  return `${tableText(head, cells, { width })}${count}\n`;
}

function cellText(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "NULL";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
