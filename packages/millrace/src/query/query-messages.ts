import type { QueryOrder } from "../ports/query-engine.ts";

/** What the query process is told at its start. */
export interface QuerySettings {
  /** Of the prediction log. */
  readonly folder: string;
  readonly memoryBytesMax: number;
  /** Longest time of a query that says nothing else. */
  readonly timeoutMs: number;
}

/** A query, and the number by which it may be cancelled. */
export interface NumberedQuery {
  readonly id: number;
  readonly order: QueryOrder;
}
