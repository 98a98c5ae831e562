import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { MillraceError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { LOG_COLUMNS } from "../core/predictions/columns.ts";
import { rowLines } from "../core/predictions/row-lines.ts";
import type { LoggedPrediction } from "../core/predictions/logged-prediction.ts";
import type { QueryEngine, QueryOrder, QueryResult } from "../ports/query-engine.ts";

/** Answers queries over predictions that a test gives it, with a real DuckDB and the real rows. */
export class TestQueryEngine implements QueryEngine {
  readonly #connection: DuckDBConnection;
  /** Rows that each query asked for at most. */
  readonly asked: number[] = [];
  /** A larger result is refused. */
  charactersMax = Infinity;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  static async of(records: readonly LoggedPrediction[]): Promise<TestQueryEngine> {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const folder = await mkdtemp(join(tmpdir(), "millrace-rows-"));
    const path = join(folder, "rows.jsonl");
    await writeFile(path, records.map((record) => rowLines(record, "test")).join(""));
    const columns = LOG_COLUMNS.predictions
      .map(({ name, type }) => `${name}: '${name === "ts" ? "BIGINT" : type}'`)
      .join(", ");
    await connection.run(
      `CREATE TABLE predictions AS SELECT * REPLACE (make_timestamp(ts) AS ts)
       FROM read_json('${path}', format = 'newline_delimited', columns = {${columns}})`,
    );
    await rm(folder, { recursive: true });
    return new TestQueryEngine(connection);
  }

  async query(order: QueryOrder, signal?: AbortSignal): Promise<QueryResult> {
    signal?.throwIfAborted();
    this.asked.push(order.rowsMax);
    const parameters = order.parameters.map((value) =>
      typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value,
    );
    const reader = await this.#connection.runAndReadAll(order.sql, parameters);
    const rows = reader.getRows().map((row) => row.map((value) => plain(value)));
    if (JSON.stringify(rows).length > this.charactersMax) {
      throw new MillraceError("QUERY_TOO_LARGE", "Cannot query: too large");
    }
    if (rows.length > order.rowsMax) throw new Error(`${rows.length} rows, asked for fewer`);
    return { kind: "rows", columns: [], rows, isCut: false, tookMs: 0 };
  }

  close(): Promise<void> {
    this.#connection.closeSync();
    return Promise.resolve();
  }
}

function plain(value: unknown): JsonValue {
  return typeof value === "bigint" ? Number(value) : (value as JsonValue);
}
