/** One line of a results file, whichever its format. */
export interface StoredResult {
  /** Name of the test. */
  readonly attack: string;
  readonly seq: number;
  /** HTTP status; 0 where there is no answer. */
  readonly code: number;
  /** When the request was due, in ns since 1970-01-01 UTC. */
  readonly timestampNs: bigint;
  /** From then to the last byte of the answer. */
  readonly latencyNs: number;
  /** Of the body. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** "" where the answer is 200 to 399. */
  readonly error: string;
  /** Of the answer, in base64; undefined where it was not kept. */
  readonly body: string | undefined;
  readonly method: string;
  readonly url: string;
  /** Of the answer: values by name; undefined where they were not kept. */
  readonly headers: ReadonlyMap<string, readonly string[]> | undefined;
}

/** `csv`: one record a line, no head. `json`: one object a line. Both as vegeta has them. */
export type ResultFormat = "csv" | "json";
