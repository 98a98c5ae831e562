import type { JsonValue } from "../core/json.ts";
import type { QueryResult } from "../ports/query-engine.ts";

/** A row of a result, by the names of its columns. */
export class ResultRow {
  readonly #values: ReadonlyMap<string, JsonValue>;

  constructor(values: ReadonlyMap<string, JsonValue>) {
    this.#values = values;
  }

  /** Null is empty. */
  text(column: string): string {
    const value = this.#values.get(column);
    return typeof value === "string" ? value : "";
  }

  /** Null is NaN. Whole numbers beyond 2^53 come as texts. */
  number(column: string): number {
    const value = this.#values.get(column);
    return value === null || value === undefined ? NaN : Number(value);
  }

  /** Null is false. */
  isTrue(column: string): boolean {
    return this.#values.get(column) === true;
  }
}

/** @throws when the engine answered with bytes: nobody asked for them. */
export function resultRows(result: QueryResult): readonly ResultRow[] {
  if (result.kind !== "rows") throw new Error("Cannot read the result: it has no rows");
  const names = result.columns.map(({ name }) => name);
  return result.rows.map(
    (row) => new ResultRow(new Map(names.map((name, index) => [name, row[index] ?? null]))),
  );
}
