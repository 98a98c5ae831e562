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
  /** Set once it has been refused at its deadline: its turn is skipped. */
  isGone: boolean;
  readonly start: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * Lets one run at a time pass, in order of arrival. A run that was cancelled or is past its deadline when its
 * turn comes is dropped without touching the model. Between two runs the event loop gets a turn, so timers
 * and disconnects are seen even while work is waiting.
 */
export class RunQueue {
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  /** Entries of `#waiting` before this index have left. */
  #head = 0;
  /** Of them, those that still wait: the others left at their deadline. */
  #count = 0;
  #isRunning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get waitingCount(): number {
    return this.#count;
  }

  /**
   * Waits for its turn, then runs `work`.
   * @throws OVERLOADED when `WAITING_MAX` wait already, DEADLINE_EXCEEDED or `signal.reason` when dropped, and
   * what `work` throws.
   */
  async run<T>(limits: RunLimits, work: () => Promise<T>): Promise<T> {
    if (this.#isRunning) {
      if (this.waitingCount >= WAITING_MAX) throw queueFull();
      await this.#wait(limits);
    } else {
      this.#isRunning = true;
      const refusal = this.#refusal(limits);
      if (refusal !== undefined) {
        this.#startNext();
        throw refusal;
      }
    }
    try {
      return await work();
    } finally {
      this.#startNext();
    }
  }

  /** @returns when the turn has come. The deadline is kept by a timer, however long the runs before take. */
  async #wait(limits: RunLimits): Promise<void> {
    let cancelTimer = (): void => undefined;
    try {
      await new Promise<void>((start, refuse) => {
        const waiting: Waiting = { ...limits, isGone: false, start, refuse };
        this.#waiting.push(waiting);
        this.#count++;
        cancelTimer = this.#clock.schedule(limits.deadlineAtMs - this.#clock.nowMs(), () => {
          waiting.isGone = true;
          refuse(tooLate());
        });
      });
    } finally {
      this.#count--;
      cancelTimer();
    }
  }

  #startNext(): void {
    for (;;) {
      const next = this.#waiting[this.#head];
      if (next === undefined) {
        this.#waiting.length = 0;
        this.#head = 0;
        this.#isRunning = false;
        return;
      }
      this.#head++;
      if (this.#head === 256) {
        this.#waiting = this.#waiting.slice(this.#head);
        this.#head = 0;
      }
      if (next.isGone) continue;
      const refusal = this.#refusal(next);
      if (refusal === undefined) {
        next.start();
        return;
      }
      next.refuse(refusal);
    }
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
