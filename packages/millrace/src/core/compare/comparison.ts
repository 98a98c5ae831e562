import type { JsonValue } from "../json.ts";

/** The prediction of one row, as comparators look at it. */
export interface ComparedPrediction {
  /**
   * As `/predict` answers the row: numbers, texts and nested arrays of them; where several outputs are the prediction an
   * object of them. A missing number is null or NaN.
   */
  readonly value: JsonValue;
  /** Its label; undefined where there are none. */
  readonly label: string | undefined;
}

export interface Comparison {
  readonly isAgreed: boolean;
  /** How far they are apart, in the comparator's own measure; 0 is not at all, undefined where it has none. */
  readonly distance?: number;
  /** What differs, for people; undefined where they agree. */
  readonly detail?: string;
}

/** Tells whether two predictions for the same row are as good as the same. */
export type Comparator = (
  /** What counts as right: what was answered. */
  reference: ComparedPrediction,
  other: ComparedPrediction,
) => Comparison;
