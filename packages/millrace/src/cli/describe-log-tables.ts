import { LOG_COLUMNS, LOG_PARTITIONS, type LogColumn } from "../core/predictions/columns.ts";
import { LOG_TABLES, type LogTable } from "../core/predictions/log-block.ts";
import { tableText } from "./table-text.ts";

const HEAD = ["column", "type", "meaning"].map((name) => ({ name, isRight: false }));

/** Columns that only the folders have. */
const PARTITION_COLUMNS: Readonly<Record<string, readonly [type: string, description: string]>> = {
  dt: ["DATE", "Day, UTC, and name of a folder: a condition on it opens no other."],
  hour: ["INTEGER", "Hour, UTC, 0 to 23; likewise."],
};

/** The tables of the prediction log with their columns, as they can be asked for. */
export function describeLogTables(): string {
  const parts = LOG_TABLES.map((table) => {
    const rows = [...LOG_COLUMNS[table].map(rowOf), ...partitionRows(table)];
    return `${table}\n${tableText(HEAD, rows, { width: Infinity })}`;
  });
  const example = 'millrace query "select model, count(*) from predictions group by all"';
  return `${parts.join("\n")}\n${example}\n`;
}

function rowOf({ name, type, description }: LogColumn): readonly string[] {
  return [name, type, description];
}

function partitionRows(table: LogTable): readonly (readonly string[])[] {
  return LOG_PARTITIONS[table].flatMap((name) => {
    const column = PARTITION_COLUMNS[name];
    return column === undefined ? [] : [[name, ...column]];
  });
}
