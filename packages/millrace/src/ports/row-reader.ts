import type { JsonValue } from "../core/json.ts";

/** Reads tables that take a database to be read. */
export interface RowReader {
  /**
   * Rows of a Parquet file, in its order, whatever its size in bounded memory.
   * @param read what is done with them; they cannot be read any more when it has ended.
   * @throws an error that says why the file cannot be read.
   */
  withRows<Result>(path: string, read: (rows: RowStream) => Promise<Result>): Promise<Result>;
}

export interface RowStream {
  readonly columns: readonly string[];
  /** Rows piece by piece. Whole numbers beyond 2^53 are bigint; what JSON has not is text, or null. */
  readonly batches: AsyncIterable<readonly (readonly JsonValue[])[]>;
}
