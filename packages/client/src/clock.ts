/** Time as the client needs it, so that tests move it instead of waiting. */
export interface Clock {
  /** Milliseconds of a monotonic clock; only differences mean something. */
  nowMs(): number;
  /** Calls `run` once after `delayMs`. @returns a function that cancels it. */
  schedule(delayMs: number, run: () => void): () => void;
}

/** The machine's clock. Its timers keep a Node process alive: somebody awaits each of them. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
