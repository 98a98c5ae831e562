import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "./adapters/clock-system/clock-system.ts";
import type { Clock } from "./core/clock.ts";
import type { RowReader } from "./ports/row-reader.ts";

/** The composition root of load tests: apart from `main.ts`, so that they load no runtime of models. */

/** Memory of the database; Parquet files are read piece by piece. */
const DUCKDB_BYTES_MAX = 512 * 2 ** 20;

/** Of the view on a running test; the test itself has a clock of its threads. */
export const viewClock: Clock = systemClock;

/** What reads Parquet files. */
export async function openRowReader(): Promise<RowReader> {
  const [{ DuckDb }, { ParquetRowReader }] = await Promise.all([
    import("./adapters/parquet-duckdb/open-duckdb.ts"),
    import("./adapters/parquet-duckdb/parquet-row-reader.ts"),
  ]);
  const spillFolder = join(tmpdir(), `millrace-load-${process.pid}`);
  return new ParquetRowReader(new DuckDb({ spillFolder, memoryBytesMax: DUCKDB_BYTES_MAX }));
}
