/** Counts of a histogram as JSON: the index of each bucket that is not empty, and its count. */
export interface HistogramCounts {
  /** Of the values: `us`. */
  readonly unit: "us";
  /** Significant digits that values keep. */
  readonly digits: 3;
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}
