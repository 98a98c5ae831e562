/**
 * `primary` decides; a `guardrail` that gets worse ends the experiment; `secondary` metrics are told, with p-values
 * corrected for their number.
 */
export type MetricRole = "primary" | "secondary" | "guardrail";

/**
 * What a metric is made of.
 *
 * `event`: what clients report of units; `aggregate` says what a unit counts as: 1 or 0, the number of its events, the sum
 * of their values, or all values by all events (a ratio, clustered by unit).
 * `correct`: labelled predictions that are right, by labelled predictions; a ratio.
 * `errors`: predictions that failed, or that something else answered in place of the arm, by predictions; a ratio.
 * `slow`: predictions slower than the 95th percentile of the control arm, by predictions; a ratio.
 */
export type MetricSource =
  | {
      readonly kind: "event";
      readonly event: string;
      readonly aggregate: "converted" | "count" | "sum" | "average";
    }
  | { readonly kind: "correct" | "errors" | "slow" };

export interface MetricDefinition {
  readonly name: string;
  readonly source: MetricSource;
  readonly goal: "increase" | "decrease";
  /**
   * How much worse is all right, at least 0: of events and labels a share of the control arm's mean, of errors and slow
   * predictions a difference.
   */
  readonly margin: number;
  /** Events and labels count so long after the first exposure; undefined: as the experiment says. */
  readonly windowMs: number | undefined;
  /** CUPED by the same events so long before the first exposure; undefined: none. */
  readonly lookbackMs: number | undefined;
}
