import type { DuckDBResult, DuckDBValueConverter } from "@duckdb/node-api";
import type { JsonValue } from "../../core/json.ts";
import type { RowReader, RowStream } from "../../ports/row-reader.ts";
import { loadDuckDb, quoted, type DuckDb } from "./open-duckdb.ts";

/** Reads Parquet files with DuckDB. */
export class ParquetRowReader implements RowReader {
  readonly #duckDb: DuckDb;

  constructor(duckDb: DuckDb) {
    this.#duckDb = duckDb;
  }

  async withRows<Result>(
    path: string,
    read: (rows: RowStream) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await this.#duckDb.with(async (connection) => {
        const result = await connection.stream(`SELECT * FROM read_parquet(${quoted(path)})`);
        return read({ columns: result.columnNames(), batches: batchesOf(result) });
      });
    } finally {
      await this.#duckDb.close();
    }
  }
}

async function* batchesOf(result: DuckDBResult): AsyncGenerator<readonly (readonly JsonValue[])[]> {
  const convert = await exactConverter();
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    yield chunk.convertRows(convert) as JsonValue[][];
  }
}

/** As JSON has them, but whole numbers keep every digit. */
async function exactConverter(): Promise<DuckDBValueConverter<JsonValue>> {
  const { DuckDBTypeId, JsonDuckDBValueConverter } = await loadDuckDb();
  const asJson = JsonDuckDBValueConverter as unknown as DuckDBValueConverter<JsonValue>;
  return (value, type, self) => {
    if (typeof value === "bigint") return value;
    if (typeof value === "number") return Number.isFinite(value) ? value : null;
    if (type.typeId === DuckDBTypeId.DECIMAL && value !== null) return Number(String(value));
    return asJson(value, type, self);
  };
}
