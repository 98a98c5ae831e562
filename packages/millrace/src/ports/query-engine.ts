import type { JsonValue } from "../core/json.ts";

export type QueryFormat = "json" | "csv" | "jsonl" | "parquet";

export interface QueryOrder {
  /** One statement that only reads. */
  readonly sql: string;
  readonly format: QueryFormat;
  /** Values of `$1`, `$2`, … */
  readonly parameters: readonly (string | number | boolean | null)[];
  /** More rows than this are cut off, and said to be. */
  readonly rowsMax: number;
  /** Longest time it may take, in milliseconds; undefined is that of the log, `log.query.timeout`. */
  readonly timeoutMs: number | undefined;
}

export interface QueryColumn {
  readonly name: string;
  /** As DuckDB names it: `VARCHAR`, `TIMESTAMP`. */
  readonly type: string;
}

export type QueryResult =
  | {
      readonly kind: "rows";
      readonly columns: readonly QueryColumn[];
      /** One list a row, in the order of the columns. Whole numbers beyond 2^53 are texts. */
      readonly rows: readonly (readonly JsonValue[])[];
      readonly isCut: boolean;
      readonly tookMs: number;
    }
  /** csv, json lines or Parquet. */
  | {
      readonly kind: "bytes";
      readonly bytes: Uint8Array;
      readonly isCut: boolean;
      readonly tookMs: number;
    };

/** Asks the prediction log. It only reads, and what it asks is bounded in time and memory. */
export interface QueryEngine {
  /**
   * Over everything that is in the log now, shipped or not.
   * @param signal ends the query.
   * @throws INVALID_QUERY for what is no query, or would do more than read; QUERY_TOO_LARGE beyond its time or memory;
   * LOG_UNAVAILABLE when there is no log, or nobody who could read it; OVERLOADED when too many ask. The reason of
   * `signal` when that ended it.
   */
  query(order: QueryOrder, signal?: AbortSignal): Promise<QueryResult>;
  close(): Promise<void>;
}
