import type { DuckDBConnection } from "@duckdb/node-api";
import type { LogTable } from "../../core/predictions/log-block.ts";
import type { ForgetChange } from "../../ports/log-tables.ts";
import { quoted } from "./open-duckdb.ts";
import { readFiles } from "./table-sql.ts";

/** Tables of one connection: of SQL, ids could be neither so many nor be put on the disk. */
const FORGOTTEN_PREDICTIONS = "forgotten_predictions";
const ASKED_PREDICTIONS = "asked_predictions";

/** What `isForgottenSql` of feedback goes by: the predictions of units. @param predictionFiles all there are. */
export async function noteForgottenPredictions(
  connection: DuckDBConnection,
  { unitHashes, predictionIds }: ForgetChange,
  predictionFiles: readonly string[],
): Promise<void> {
  await createIds(connection, FORGOTTEN_PREDICTIONS, predictionIds);
  if (predictionFiles.length === 0) return;
  const ids = predictionsSql(unitHashes, predictionFiles);
  await connection.run(`insert into ${FORGOTTEN_PREDICTIONS} ${ids}`);
}

/** Tells whether a row is to be forgotten; never null. Of feedback once its predictions are noted. */
export function isForgottenSql(table: LogTable, { unitHashes }: ForgetChange): string {
  const isOfUnit = `coalesce(unit_hash in (${unitHashes.map(quoted).join(", ")}), false)`;
  if (table !== "feedback") return isOfUnit;
  return `(${isOfUnit} or coalesce(split_part(prediction_id, '#', 1) in (select id from ${FORGOTTEN_PREDICTIONS}), false))`;
}

/** Those of some predictions that are of units. */
export async function predictionsAmong(
  connection: DuckDBConnection,
  unitHashes: readonly string[],
  predictionIds: readonly string[],
  predictionFiles: readonly string[],
): Promise<readonly string[]> {
  await createIds(connection, ASKED_PREDICTIONS, predictionIds);
  const ids = predictionsSql(unitHashes, predictionFiles);
  const sql = `select id from ${ASKED_PREDICTIONS} where id in (${ids})`;
  return (await connection.runAndReadAll(sql)).getRowsJson().map(([id]) => id as string);
}

function predictionsSql(unitHashes: readonly string[], files: readonly string[]): string {
  const hashes = unitHashes.map(quoted).join(", ");
  return `select distinct split_part(prediction_id, '#', 1) from ${readFiles(files)} where unit_hash in (${hashes}) and prediction_id is not null`;
}

async function createIds(
  connection: DuckDBConnection,
  name: string,
  ids: readonly string[],
): Promise<void> {
  await connection.run(`create temp table ${name} (id varchar)`);
  const appender = await connection.createAppender(name, "main", "temp");
  for (const id of ids) {
    appender.appendVarchar(id);
    appender.endRow();
  }
  appender.closeSync();
}
