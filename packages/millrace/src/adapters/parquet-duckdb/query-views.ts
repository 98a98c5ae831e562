import { LOG_COLUMNS, LOG_PARTITIONS } from "../../core/predictions/columns.ts";
import type { LogTable } from "../../core/predictions/log-block.ts";
import { quoted, quotedList } from "./open-duckdb.ts";
import type { ForgottenUnit } from "./query-snapshot.ts";

export interface ViewSources {
  readonly table: LogTable;
  /** Parquet files. */
  readonly files: readonly string[];
  /** Tables of the database with rows that are in none of them. */
  readonly relations: readonly string[];
  /** What is to be left out of these. */
  readonly forgotten: readonly ForgottenUnit[];
}

/** Types of the columns that only paths have. */
const PARTITION_TYPES: Readonly<Record<string, string>> = {
  dt: "DATE",
  hour: "INTEGER",
  model: "VARCHAR",
};

/** The time by which a row has its place in the folders. */
const PARTITION_TIMES: Readonly<Record<LogTable, string>> = {
  predictions: "ts",
  feedback: "received_ts",
  exposures: "ts",
};

/**
 * SQL of a view of a table of the log, seen by one connection only: the columns that this version knows, in their
 * order, and behind them what newer files have besides.
 */
export function createViewSql({ table, files, relations, forgotten }: ViewSources): string {
  const parts = [emptyTableSql(table)];
  if (files.length > 0) parts.push(filesSql(table, files));
  for (const relation of relations) parts.push(relationSql(table, relation, forgotten));
  return `CREATE OR REPLACE TEMP VIEW ${table} AS ${parts.join(" UNION ALL BY NAME ")}`;
}

/** No row, but every column with its type: files of older versions have not all of them, and there may be no file. */
function emptyTableSql(table: LogTable): string {
  const known = LOG_COLUMNS[table];
  const names = new Set(known.map(({ name }) => name));
  const columns = [
    ...known,
    ...LOG_PARTITIONS[table]
      .filter((name) => !names.has(name))
      .map((name) => ({ name, type: PARTITION_TYPES[name] ?? "VARCHAR" })),
  ];
  return `SELECT ${columns.map(({ name, type }) => `NULL::${type} AS "${name}"`).join(", ")} WHERE false`;
}

function filesSql(table: LogTable, files: readonly string[]): string {
  const types = LOG_PARTITIONS[table].map(
    (name) => `${quoted(name)}: ${PARTITION_TYPES[name] ?? "VARCHAR"}`,
  );
  return `SELECT * FROM read_parquet(${quotedList(files)}, union_by_name = true, hive_partitioning = true, hive_types = {${types.join(", ")}})`;
}

function relationSql(
  table: LogTable,
  relation: string,
  forgotten: readonly ForgottenUnit[],
): string {
  const time = PARTITION_TIMES[table];
  const partition = [`CAST(${time} AS DATE) AS dt`];
  if (LOG_PARTITIONS[table].includes("hour")) partition.push(`hour(${time})::INTEGER AS hour`);
  const rows = `SELECT *, ${partition.join(", ")} FROM ${relation} AS row_of_log`;
  const kept = [notAmongSql("row_of_log.unit_hash", time, unitsOf(forgotten))];
  if (table === "feedback") {
    kept.push(
      notAmongSql("split_part(row_of_log.prediction_id, '#', 1)", time, predictionsOf(forgotten)),
    );
  }
  const conditions = kept.filter((condition) => condition !== undefined);
  return conditions.length === 0 ? rows : `${rows} WHERE ${conditions.join(" AND ")}`;
}

/** Rows that have the text are forgotten up to a time, in microseconds. */
interface ForgottenText {
  readonly text: string;
  readonly until_us: number;
}

function unitsOf(forgotten: readonly ForgottenUnit[]): readonly ForgottenText[] {
  return forgotten.map(({ unitHash, untilUs }) => ({ text: unitHash, until_us: untilUs }));
}

function predictionsOf(forgotten: readonly ForgottenUnit[]): readonly ForgottenText[] {
  return forgotten.flatMap(({ predictionIds, untilUs }) =>
    predictionIds.map((id) => ({ text: id, until_us: untilUs })),
  );
}

/** @param text SQL of what rows have. @returns undefined when there is nothing to leave out. */
function notAmongSql(
  text: string,
  time: string,
  forgotten: readonly ForgottenText[],
): string | undefined {
  if (forgotten.length === 0) return undefined;
  // One constant: thousands of them take DuckDB longer than the query.
  const list = `from_json(${quoted(JSON.stringify(forgotten))}, '[{"text":"VARCHAR","until_us":"DOUBLE"}]')`;
  return `NOT EXISTS (SELECT 1 FROM (SELECT unnest(${list}, recursive := true)) AS forgotten WHERE forgotten.text = ${text} AND epoch_us(row_of_log.${time}) <= forgotten.until_us)`;
}
