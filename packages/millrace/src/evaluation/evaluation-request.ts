/** What is to be evaluated. */
export interface EvaluationRequest {
  readonly service: string;
  /** Predictions from here on, milliseconds since 1970. */
  readonly sinceMs: number;
  /** And before here. */
  readonly untilMs: number;
  /** A label counts when it came within this time of its prediction. */
  readonly windowMs: number;
  /** Columns of `predictions`, attributes or features; at least one. */
  readonly by: readonly string[];
  /** Groups with fewer labelled predictions are left out. */
  readonly countMin: number;
}

/** Most names to group by. */
export const GROUP_NAMES_MAX = 8;
