/** Time as a port: code that decides by time takes one, so tests move it instead of waiting. */
export interface Clock {
  /** Milliseconds of a monotonic clock; only differences mean something. */
  nowMs(): number;
  /** Milliseconds since 1970-01-01 UTC. */
  wallMs(): number;
  /** Calls `run` once after `delayMs`. @returns a function that cancels it. */
  schedule(delayMs: number, run: () => void): () => void;
  /** Calls `run` once everything has been read that has arrived by now, before any timer. */
  soon(run: () => void): void;
}
