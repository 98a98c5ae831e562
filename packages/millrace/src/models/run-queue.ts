import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";

/** Runs accepted and not yet started, per model version; one more is refused with OVERLOADED. */
export const WAITING_MAX = 1000;

export interface RunLimits {
  /** On `clock.nowMs`; what has not started by then is dropped. */
  readonly deadlineAtMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Waiting extends RunLimits {
  readonly start: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * Lets one run at a time pass, in order of arrival. A run that is cancelled or reaches its deadline while it
 * waits is dropped at that moment, without touching the model, and its place is free. Between two runs the
 * event loop gets a turn, so timers and disconnects are seen even while work is waiting.
 */
export class RunQueue {
  readonly #clock: Clock;
  /** In order of arrival; who leaves early leaves nothing behind, however long the run before takes. */
  readonly #waiting = new Set<Waiting>();
  #isRunning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for its turn, then runs `work`.
   * @throws OVERLOADED when `WAITING_MAX` wait already, DEADLINE_EXCEEDED or `signal.reason` when dropped, and
   * what `work` throws.
   */
  async run<T>(limits: RunLimits, work: () => Promise<T>): Promise<T> {
    const refusal = this.#refusal(limits);
    if (refusal !== undefined) throw refusal;
    if (this.#isRunning) await this.#wait(limits);
    this.#isRunning = true;
    try {
      return await work();
    } finally {
      this.#startNext();
    }
  }

  /** @returns when the turn has come: `#isRunning` stays set in between, so nobody passes. */
  async #wait(limits: RunLimits): Promise<void> {
    if (this.#waiting.size >= WAITING_MAX) throw queueFull();
    let leave = (): void => undefined;
    try {
      await new Promise<void>((start, refuse) => {
        const waiting: Waiting = { ...limits, start, refuse };
        const drop = (): void => {
          this.#waiting.delete(waiting);
          refuse(this.#refusal(limits) ?? tooLate());
        };
        const cancelTimer = this.#clock.schedule(limits.deadlineAtMs - this.#clock.nowMs(), drop);
        limits.signal?.addEventListener("abort", drop);
        leave = () => {
          cancelTimer();
          limits.signal?.removeEventListener("abort", drop);
        };
        this.#waiting.add(waiting);
      });
    } finally {
      leave();
    }
  }

  #startNext(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      // A timer may be late: the clock decides.
      const refusal = this.#refusal(next);
      if (refusal === undefined) {
        next.start();
        return;
      }
      next.refuse(refusal);
    }
    this.#isRunning = false;
  }

  #refusal(limits: RunLimits): Error | undefined {
    if (limits.signal?.aborted === true) return limits.signal.reason as Error;
    return this.#clock.nowMs() < limits.deadlineAtMs ? undefined : tooLate();
  }
}

function tooLate(): MillraceError {
  return new MillraceError(
    "DEADLINE_EXCEEDED",
    "Cannot predict: the deadline passed before the model was free",
  );
}

function queueFull(): MillraceError {
  return new MillraceError(
    "OVERLOADED",
    `Cannot predict: ${WAITING_MAX} requests are waiting for the model, the limit is ${WAITING_MAX}`,
    { reason: "queue", retryAfterSeconds: 1 },
  );
}
