/** A row of the table `exposures`, as a line of JSON in its blocks: the columns of `LOG_COLUMNS.exposures`. */
export interface ExposureRow {
  /** Microseconds since 1970-01-01 UTC. */
  readonly ts: number;
  readonly service: string;
  readonly experiment: string;
  /** Phase in which the unit got its arm. */
  readonly phase: number;
  readonly variant: string;
  /** Null where each request draws. */
  readonly unit_hash: string | null;
  /** Prediction it came with. */
  readonly prediction_id: string;
  /** Probability of the arm among the units that take part. */
  readonly propensity: number;
  readonly coverage: number;
  /** Where the unit fell, 0 to 1. */
  readonly hash: number;
  readonly node: string;
}
