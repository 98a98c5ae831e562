import type { ComparedOutputs } from "../core/compare/compared-rows.ts";
import type { Comparison } from "../core/compare/comparison.ts";

/** What is compared: the same rows, as two predictors answered them. */
export interface ComparedPair {
  readonly predictionId: string;
  /** What counts as right: what was answered. */
  readonly answer: ComparedOutputs;
  readonly shadow: ComparedOutputs;
  /** Undefined where rows cannot be told apart: all of them are one. */
  readonly rowCount: number | undefined;
}

/** A comparison written by a user; it runs where it cannot hold up whoever asks. */
export interface SourceComparator {
  /** @throws FUNCTION_FAILED when it throws, or takes too long; OVERLOADED when too many wait for it. */
  compare(pair: ComparedPair): Promise<Comparison>;
  close(): Promise<void>;
}

/**
 * Opens the comparison that a file exports: `export default (answer, shadow) => boolean`, or `{ isAgreed, distance?,
 * detail? }`.
 * @param path absolute, of a .ts, .mts, .js or .mjs file.
 * @throws MODEL_LOAD_FAILED saying what is wrong with the file.
 */
export type OpenComparator = (path: string) => Promise<SourceComparator>;
