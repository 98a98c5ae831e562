import type { QueryOrder } from "../ports/query-engine.ts";

/** Values of a statement, in the order in which they were named: what comes from outside is never part of the SQL. */
export class SqlParameters {
  readonly #values: (string | number)[];

  /** @param values of `$1`, `$2`, … that are named already. */
  constructor(values: readonly (string | number)[] = []) {
    this.#values = [...values];
  }

  get values(): QueryOrder["parameters"] {
    return this.#values;
  }

  text(value: string): string {
    return `${this.#add(value)}::VARCHAR`;
  }

  integer(value: number): string {
    return `${this.#add(Math.round(value))}::BIGINT`;
  }

  /** @param ms since 1970-01-01 UTC. Cast where it stands, so that it is a constant to whoever plans the query. */
  time(ms: number): string {
    return `make_timestamp(${this.integer(ms * 1000)})`;
  }

  span(ms: number): string {
    return `to_microseconds(${this.integer(ms * 1000)})`;
  }

  #add(value: string | number): string {
    return `$${this.#values.push(value)}`;
  }
}
