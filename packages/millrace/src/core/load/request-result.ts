/** One request that was sent in the measured time, as it ended. Times in ms since the begin of that time. */
export interface RequestResult {
  readonly seq: number;
  /** When it was due. */
  readonly intendedMs: number;
  readonly sentMs: number;
  /** NaN where no byte came. */
  readonly firstByteMs: number;
  readonly doneMs: number;
  /** HTTP status; 0 where there is no answer. */
  readonly code: number;
  /** Of the body. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** "" where the answer is 200 to 399. */
  readonly error: string;
}
