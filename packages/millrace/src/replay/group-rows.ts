import type { LoggedRequest, LoggedRow } from "./logged-request.ts";

/** Puts the rows of a request together again, which may lie on two pages. One of which rows are missing comes as it is. */
export class RowGroups {
  #rows: LoggedRow[] = [];

  /**
   * @param rows by time, request and row, as they follow those of the call before.
   * @returns the requests that are whole, and those that are not and have been followed by another one.
   */
  *add(rows: readonly LoggedRow[]): Iterable<LoggedRequest> {
    for (const row of rows) {
      if (row.predictionId !== this.#rows[0]?.predictionId) yield* this.end();
      this.#rows.push(row);
      if (!row.isPart || this.#rows.length === row.rowCount) yield* this.end();
    }
  }

  /** What is left when there are no more rows. */
  *end(): Iterable<LoggedRequest> {
    const [first, ...others] = this.#rows;
    this.#rows = [];
    if (first !== undefined) yield { rows: [first, ...others] };
  }
}

/** Are all rows of it here? */
export function isWhole({ rows }: LoggedRequest): boolean {
  const [{ isPart, rowCount }] = rows;
  return !isPart || (rows.length === rowCount && rows.every(({ rowIndex }, i) => rowIndex === i));
}
