import { join } from "node:path";
import type { LogTable } from "../../packages/millrace/src/core/predictions/log-block.ts";
import { listTableFiles } from "../../packages/millrace/src/adapters/parquet-duckdb/list-table-files.ts";
import {
  DuckDb,
  quotedList,
} from "../../packages/millrace/src/adapters/parquet-duckdb/open-duckdb.ts";
import { ParquetSink } from "../../packages/millrace/src/adapters/parquet-duckdb/parquet-sink.ts";
import { describePredictionSinkContract } from "./prediction-sink-contract.ts";

const duckDb = new DuckDb({ spillFolder: "", memoryBytesMax: 256 * 2 ** 20 });

describePredictionSinkContract({
  name: "Parquet",
  create: ({ folder, isForgotten }) =>
    new ParquetSink({
      folder,
      temporaryFolder: join(folder, "tmp/ship"),
      duckDb,
      forgotten: { isAny: true, has: isForgotten, hasPrediction: () => false },
    }),
  read: (folder) => idsOf(folder, "predictions", "prediction_id"),
  readFeedback: (folder) => idsOf(folder, "feedback", "feedback_id"),
  readExposures: (folder) => idsOf(folder, "exposures", "prediction_id"),
  skip: [],
});

/** In the order of files and of rows in them. */
async function idsOf(folder: string, table: LogTable, column: string): Promise<readonly string[]> {
  const files = (await listTableFiles(folder)).filter((file) => file.table === table);
  if (files.length === 0) return [];
  const paths = quotedList(files.map(({ path }) => join(folder, path)));
  const rows = `read_parquet(${paths}, filename = true, file_row_number = true)`;
  return duckDb.with(async (connection) => {
    const sql = `select ${column} from ${rows} order by filename, file_row_number`;
    return (await connection.runAndReadAll(sql)).getRowsJson().map(([id]) => id as string);
  });
}
