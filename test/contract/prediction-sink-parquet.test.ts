import { join } from "node:path";
import type { LogTable } from "../../packages/millrace/src/core/predictions/log-block.ts";
import { listTableFiles } from "../../packages/millrace/src/adapters/parquet-duckdb/list-table-files.ts";
import { DuckDb } from "../../packages/millrace/src/adapters/parquet-duckdb/open-duckdb.ts";
import { ParquetSink } from "../../packages/millrace/src/adapters/parquet-duckdb/parquet-sink.ts";
import { readFilesNamed } from "../../packages/millrace/src/adapters/parquet-duckdb/table-sql.ts";
import { describePredictionSinkContract } from "./prediction-sink-contract.ts";

const duckDb = new DuckDb({ spillFolder: "", memoryBytesMax: 256 * 2 ** 20 });

describePredictionSinkContract({
  name: "Parquet",
  create: ({ folder, isForgotten }) =>
    new ParquetSink({
      folder,
      temporaryFolder: join(folder, "tmp/ship"),
      duckDb,
      forgotten: { isAny: true, has: isForgotten },
    }),
  read: (folder) => idsOf(folder, "predictions", "prediction_id"),
  readFeedback: (folder) => idsOf(folder, "feedback", "feedback_id"),
  skip: [],
});

/** In the order of files and of rows in them. */
async function idsOf(folder: string, table: LogTable, column: string): Promise<readonly string[]> {
  const files = (await listTableFiles(folder)).filter((file) => file.table === table);
  if (files.length === 0) return [];
  const rows = readFilesNamed(files.map(({ path }) => join(folder, path)));
  return duckDb.with(async (connection) => {
    const sql = `select ${column}, filename, file_row_number from ${rows.replace(/\)$/, ", file_row_number = true)")} order by filename, file_row_number`;
    const read = await connection.runAndReadAll(sql);
    return read.getRowsJson().map(([id]) => id as string);
  });
}
