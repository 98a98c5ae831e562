/** A row of the table `feedback`, as a line of JSON in its blocks: the columns of `LOG_COLUMNS.feedback`. */
export interface FeedbackRow {
  /** Microseconds since 1970-01-01 UTC. */
  readonly ts: number;
  readonly received_ts: number;
  readonly feedback_id: string;
  readonly prediction_id: string | null;
  readonly unit_hash: string | null;
  readonly service: string;
  readonly kind: "label" | "event";
  readonly label: string | null;
  readonly event: string | null;
  readonly value: number | null;
  readonly source: string | null;
  /** JSON */
  readonly attributes: string | null;
  readonly is_late: boolean;
  readonly node: string;
}
