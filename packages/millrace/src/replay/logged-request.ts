import type { JsonValue } from "../core/json.ts";

/** A row of the table `predictions`, as far as replay looks at it. */
export interface LoggedRow {
  /** When its request came, microseconds since 1970-01-01 UTC. */
  readonly receivedUs: number;
  /** Without the `#row` of a request of several rows. */
  readonly predictionId: string;
  /** Is it one of several rows of its request? Else it is all there is of it, however many rows it had. */
  readonly isPart: boolean;
  readonly rowIndex: number;
  /** Rows of its request. */
  readonly rowCount: number;
  readonly role: string;
  /** Undefined when it was answered. */
  readonly errorCode: string | undefined;
  readonly inferUs: number;
  readonly totalUs: number;
  /** Of the rules of privacy; undefined where there were none. */
  readonly policy: string | undefined;
  /** By column where those have names, else by input. */
  readonly features: JsonValue;
  /** Undefined of a request that failed. */
  readonly prediction: JsonValue | undefined;
  readonly label: string | undefined;
}

/**
 * A request as it was: its rows, in their order. One whose inputs or outputs cannot be told apart by row, or that has too
 * many, is one row of the table.
 */
export interface LoggedRequest {
  readonly rows: readonly [LoggedRow, ...LoggedRow[]];
}
