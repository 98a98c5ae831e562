import { LOG_COLUMNS, LOG_PARTITIONS, type LogColumn } from "../../core/predictions/columns.ts";
import type { LogTable } from "../../core/predictions/log-block.ts";
import { quoted, quotedList } from "./open-duckdb.ts";

/** Most rows of a row group: what a reader can skip at once. */
const ROW_GROUP_ROWS = 122_880;

/** Most bytes of one, which is what is in memory while a file is written: some rows have inputs of hundreds of KiB. */
const ROW_GROUP_BYTES = 32 * 1024 * 1024;

/** Longest line of JSON: several times the largest record. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;

const AS_THEY_ARE = "union_by_name = true, hive_partitioning = false";

/** Columns inside the files: those of the folders stand in the path alone, since some readers refuse both. */
export function fileColumns(table: LogTable): readonly LogColumn[] {
  return LOG_COLUMNS[table].filter(({ name }) => !LOG_PARTITIONS[table].includes(name));
}

/**
 * Copies lines of JSON to a Parquet file; lines that are not of the table's form are left out. In their order, which is
 * that of time but for a moment: sorting them would take memory without bound.
 */
export function copyLines(table: LogTable, from: string, to: string): string {
  return copyTo(selectLines(fileColumns(table), from), to);
}

/** The rows of a file with lines of JSON; lines that are not of the table's form are left out. */
export function selectLines(columns: readonly LogColumn[], from: string): string {
  // Times are whole microseconds in the lines, exact and fast.
  const read = columns.map(
    ({ name, type }) => `${name}: ${quoted(type === "TIMESTAMP" ? "BIGINT" : type)}`,
  );
  const values = columns.map(({ name, type }) =>
    type === "TIMESTAMP" ? `make_timestamp(${name}) as ${name}` : name,
  );
  const lines =
    `read_json(${quoted(from)}, format = 'newline_delimited', auto_detect = false, ignore_errors = true, ` +
    `maximum_object_size = ${LINE_BYTES_MAX}, columns = {${read.join(", ")}})`;
  return `select ${values.join(", ")} from ${lines} where ts is not null`;
}

/** Reads files as they are, without the columns of their folders; a column that old files lack is null. */
export function readFiles(paths: readonly string[]): string {
  return `read_parquet(${quotedList(paths)}, ${AS_THEY_ARE})`;
}

/** The same, with the file of each row in the column `filename`. */
export function readFilesNamed(paths: readonly string[]): string {
  return `read_parquet(${quotedList(paths)}, ${AS_THEY_ARE}, filename = true)`;
}

/** Writes what a query gives to a Parquet file. */
export function copyTo(query: string, path: string): string {
  return `copy (${query}) to ${quoted(path)} (format parquet, compression zstd, row_group_size ${ROW_GROUP_ROWS}, row_group_size_bytes ${ROW_GROUP_BYTES})`;
}
