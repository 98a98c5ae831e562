import type { JsonValue } from "../../core/json.ts";
import type { RowTable } from "./load-target.ts";
import { RowTableBuilder } from "./row-table-builder.ts";

/** A table of values, for tests. */
export function testRows(
  columns: readonly string[],
  rows: readonly (readonly JsonValue[])[],
  order: RowTable["order"] = "in-turn",
): RowTable {
  const builder = new RowTableBuilder("test", columns);
  for (const row of rows) builder.addRow(row);
  return builder.finish(order);
}

/** The values of a table, each as its JSON text. */
export function rowTexts({ columns, bytes, offsets }: RowTable): string[][] {
  const text = Buffer.from(bytes);
  const begins = new Uint32Array(offsets);
  const rows: string[][] = [];
  for (let cell = 0; cell + 1 < begins.length; cell++) {
    if (cell % columns.length === 0) rows.push([]);
    rows.at(-1)?.push(text.toString("utf8", begins[cell], (begins[cell + 1] as number) - 1));
  }
  return rows;
}
