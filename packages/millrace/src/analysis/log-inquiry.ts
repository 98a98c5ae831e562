import { MillraceError } from "../core/errors.ts";
import { resultRows, type ResultRow } from "../evaluation/result-rows.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import type { SqlParameters } from "./sql-parameters.ts";

/** Rows of one query: arms, phases and classes of latency. */
const ROWS_MAX = 100_000;

/** The questions of one analysis, one after the other: others want to ask the log too. */
export class LogInquiry {
  readonly #engine: QueryEngine;
  #tookMs = 0;

  constructor(engine: QueryEngine) {
    this.#engine = engine;
  }

  /** All of them together. */
  get tookMs(): number {
    return this.#tookMs;
  }

  /** @throws what the engine throws; QUERY_TOO_LARGE when there are more rows than an analysis has. */
  async ask(sql: string, parameters: SqlParameters): Promise<readonly ResultRow[]> {
    const result = await this.#engine.query({
      sql,
      parameters: parameters.values,
      format: "json",
      rowsMax: ROWS_MAX,
      timeoutMs: undefined,
    });
    this.#tookMs += result.tookMs;
    if (!result.isCut) return resultRows(result);
    throw new MillraceError(
      "QUERY_TOO_LARGE",
      `Cannot analyse: there are more than ${ROWS_MAX} sums, the experiment has too many phases`,
    );
  }
}
