import type { Clock } from "./clock.ts";

export interface DeadlineOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The caller's own wish to stop. */
  readonly signal: AbortSignal | undefined;
  /** What `signal` aborts with when the time is over. */
  readonly makeReason: () => Error;
}

/** The end of one call, all its attempts included: time over or the caller's abort, whichever is first. */
export class Deadline {
  /** Aborts with the caller's reason or with `makeReason()`. */
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #endMs: number;
  readonly #cancelTimer: () => void;

  constructor({ clock, timeoutMs, signal, makeReason }: DeadlineOptions) {
    const timer = new AbortController();
    this.#clock = clock;
    this.#endMs = clock.nowMs() + timeoutMs;
    this.#cancelTimer = clock.schedule(timeoutMs, () => timer.abort(makeReason()));
    this.signal = signal === undefined ? timer.signal : AbortSignal.any([signal, timer.signal]);
  }

  remainingMs(): number {
    return this.#endMs - this.#clock.nowMs();
  }

  /** Rejects with the signal's reason when the call ends first. */
  sleep(delayMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      cancel();
      reject(this.signal.reason as Error); // any value the caller chose, passed on as it is
    };
    const cancel = this.#clock.schedule(delayMs, () => {
      this.signal.removeEventListener("abort", onAbort);
      resolve();
    });
    this.signal.addEventListener("abort", onAbort, { once: true });
    return promise;
  }

  /** Stops the timer. Call it once the call is over. */
  close(): void {
    this.#cancelTimer();
  }
}
