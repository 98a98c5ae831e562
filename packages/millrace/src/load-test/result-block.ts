/** What one thread has to tell since it last did; its arrays are handed over, not copied. */
export interface ResultBlock {
  /** Requests that have ended, each as RESULT_COLUMNS numbers. */
  readonly values: Float64Array;
  readonly count: number;
  /** Texts of the column `error`, from 1; 0 is none. */
  readonly errors: readonly string[];
  /** Due times in ms of starts that found no connection. */
  readonly dropped: readonly number[];
  readonly thread: ThreadFacts;
}

export interface ThreadFacts {
  readonly thread: number;
  /** Processor time of this thread since the last block, as a share of the time that passed. */
  readonly cpu: number;
  /** How much of that time was measured time: 0 while only the last answers are waited for. */
  readonly measuredMs: number;
  readonly underWay: number;
  readonly connectionsPeak: number;
}

/** Columns of a result, in this order. Times in ms since the begin of the measured time. */
export const RESULT = {
  seq: 0,
  target: 1,
  intendedMs: 2,
  sentMs: 3,
  firstByteMs: 4,
  doneMs: 5,
  code: 6,
  bytesOut: 7,
  bytesIn: 8,
  error: 9,
} as const;

export const RESULT_COLUMNS = 10;
