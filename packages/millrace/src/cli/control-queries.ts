import type { QueryEngine, QueryOrder, QueryResult } from "../ports/query-engine.ts";
import type { ControlClient } from "./control-client.ts";

const ACCEPTED: Readonly<Record<QueryOrder["format"], string>> = {
  json: "application/json",
  csv: "text/csv",
  jsonl: "application/x-ndjson",
  parquet: "application/vnd.apache.parquet",
};

interface RowsAnswer {
  readonly columns: Extract<QueryResult, { kind: "rows" }>["columns"];
  readonly rows: Extract<QueryResult, { kind: "rows" }>["rows"];
  readonly cut: boolean;
  readonly took_ms: number;
}

/** Asks the prediction log of a running Millrace. */
export class ControlQueries implements QueryEngine {
  readonly #client: ControlClient;

  constructor(client: ControlClient) {
    this.#client = client;
  }

  /** @throws ControlError when it is refused. */
  async query(order: QueryOrder, signal?: AbortSignal): Promise<QueryResult> {
    const { sql, format, parameters, rowsMax, timeoutMs } = order;
    const timeout = timeoutMs === undefined ? {} : { timeout: `${timeoutMs}ms` };
    const body = { sql, parameters, rows_max: rowsMax, ...timeout };
    const response = await this.#client.query(body, ACCEPTED[format], signal);
    if (format === "json") {
      const { columns, rows, cut, took_ms } = (await response.json()) as RowsAnswer;
      return { kind: "rows", columns, rows, isCut: cut, tookMs: took_ms };
    }
    return {
      kind: "bytes",
      bytes: new Uint8Array(await response.arrayBuffer()),
      isCut: response.headers.get("x-query-cut") === "true",
      tookMs: Number(response.headers.get("x-query-took-ms")),
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
