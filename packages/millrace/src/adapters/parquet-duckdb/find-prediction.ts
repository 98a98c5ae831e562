import { join } from "node:path";
import type { JsonValue } from "../../core/json.ts";
import { LOG_COLUMNS } from "../../core/predictions/columns.ts";
import { EXPLAINED_ROWS_MAX, EXPLAINED_SHADOWS_MAX } from "../../core/predictions/explanation.ts";
import { tableFolder } from "../../core/predictions/log-folder.ts";
import { readPredictionKey, type PredictionKey } from "../../core/predictions/prediction-key.ts";
import type { TableFile } from "../../ports/log-tables.ts";
import { listFilesIn } from "./list-table-files.ts";
import { quoted, type DuckDb } from "./open-duckdb.ts";
import { fileColumns, readFilesNamed } from "./table-sql.ts";
import { hourFoldersAround, modelOf } from "./table-path.ts";

/** Files may be replaced while they are read; those that replace them are found at the next try. */
const TRIES = 3;

/** The id tells when it was made, and so the few files that can have it; in them their statistics tell the row group. */
export async function findPrediction(
  logFolder: string,
  duckDb: DuckDb,
  predictionId: string,
): Promise<readonly JsonValue[] | undefined> {
  const key = readPredictionKey(predictionId);
  if (key === undefined) return undefined;
  for (let attempt = 1; ; attempt++) {
    const files = await filesAround(logFolder, key.madeAtMs);
    if (files.length === 0) return undefined;
    try {
      return await readRows(logFolder, duckDb, files, key);
    } catch (error) {
      if (attempt === TRIES) throw error;
    }
  }
}

async function filesAround(logFolder: string, wallMs: number): Promise<readonly TableFile[]> {
  const folders = hourFoldersAround(wallMs).map((hour) => `${tableFolder("predictions")}/${hour}`);
  return (await Promise.all(folders.map((folder) => listFilesIn(logFolder, folder)))).flat();
}

async function readRows(
  logFolder: string,
  duckDb: DuckDb,
  files: readonly TableFile[],
  { id, row }: PredictionKey,
): Promise<readonly JsonValue[] | undefined> {
  const byPath = new Map(files.map((file) => [join(logFolder, file.path), file]));
  const rows = readFilesNamed([...byPath.keys()]);
  // A range, which their statistics can rule out: "$" is the character after "#".
  const which =
    row === undefined
      ? `prediction_id >= ${quoted(id)} and prediction_id < ${quoted(`${id}$`)}`
      : `prediction_id = ${quoted(`${id}#${row}`)}`;
  // What a shadow says is the same in all of its rows. They come first, so that many rows do not crowd them out.
  const sql = `select * replace (epoch_us(ts) as ts) from ${rows}
    where ${which} and (role is distinct from 'shadow' or row_index = 0)
    order by role is distinct from 'shadow', row_index limit ${2 * (EXPLAINED_ROWS_MAX + EXPLAINED_SHADOWS_MAX)}`;
  const found = await duckDb.with(async (connection) =>
    (await connection.runAndReadAll(sql)).getRowObjectsJson(),
  );
  if (found.length === 0) return undefined;
  // While a file is replaced its rows are in two.
  const keyOf = (one: (typeof found)[number]): string =>
    JSON.stringify([one["prediction_id"], one["shadow"] ?? null]);
  const byKey = [...new Map(found.map((one) => [keyOf(one), one])).values()];
  const shadows = byKey.filter((one) => one["role"] === "shadow");
  const answers = byKey.filter((one) => one["role"] !== "shadow");
  return [...answers.slice(0, EXPLAINED_ROWS_MAX), ...shadows].map((one) => {
    const { filename, ...values } = one as Readonly<Record<string, JsonValue>>;
    return asRow(values, byPath.get(filename as string));
  });
}

/** Whole numbers come as texts. */
function asRow(
  found: Readonly<Record<string, JsonValue>>,
  file: TableFile | undefined,
): Readonly<Record<string, JsonValue>> {
  const numeric = new Set(
    fileColumns("predictions")
      .filter(({ type }) => type === "BIGINT" || type === "TIMESTAMP")
      .map(({ name }) => name),
  );
  const model = file === undefined ? undefined : modelOf(file.partition);
  return Object.fromEntries(
    LOG_COLUMNS.predictions.map(({ name }) => {
      const value = name === "model" ? (model ?? null) : (found[name] ?? null);
      return [name, numeric.has(name) && value !== null ? Number(value) : value];
    }),
  );
}
