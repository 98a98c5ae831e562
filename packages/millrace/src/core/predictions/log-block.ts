/** Tables of the prediction log. */
export const LOG_TABLES = ["predictions", "feedback", "exposures"] as const;

export type LogTable = (typeof LOG_TABLES)[number];

/**
 * Records on their way to the disk, as one piece of bytes. Blocks of `predictions` are what `BlockWriter` makes; blocks
 * of `feedback` and `exposures` are lines of JSON. Nobody between the two ends looks into it.
 */
export interface LogBlock {
  readonly table: LogTable;
  readonly recordCount: number;
  /** Rows of the table that they are; absent: one each. */
  readonly rowCount?: number;
  /** With a memory of its own, which goes to whom the block is given to. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}
