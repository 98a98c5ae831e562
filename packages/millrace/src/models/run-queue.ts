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

/** Runs that share one turn of the event loop together take about this long, so that it stays responsive. */
const TURN_MS = 5;

/** Most runs of one turn, however short they are. */
const TURN_RUNS_MAX = 64;

/** Weight of the newest turn in the mean time of a run. */
const NEWEST_WEIGHT = 0.2;

/**
 * Lets runs pass in order of arrival, as many in one turn of the event loop as take about `TURN_MS` together: of
 * short runs many, which spares the loop's own cost for each, of long ones a single one. Between two turns timers
 * and disconnects are seen. A run that is cancelled or reaches its deadline while it waits is dropped at that
 * moment, without touching the model, and its place is free.
 */
export class RunQueue {
  readonly #clock: Clock;
  /** In order of arrival; who leaves early leaves nothing behind, however long the run before takes. */
  readonly #waiting = new Set<Waiting>();
  /** Runs of this turn that were started, and of them those that have not ended. */
  #started = 0;
  #running = 0;
  /** Runs that have left the line and not yet begun: who arrives now stands behind them. */
  #beginning = 0;
  #turnStartMs = 0;
  /** Mean time of a run; unknown at first, when one run is a turn. */
  #meanMs = Infinity;

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
    const isFree = this.#waiting.size === 0 && this.#beginning === 0 && this.#hasRoom();
    if (isFree) this.#enterTurn();
    else {
      await this.#wait(limits);
      this.#beginning--;
    }
    try {
      return await work();
    } finally {
      this.#running--;
      if (this.#running === 0) this.#endTurn();
    }
  }

  #hasRoom(): boolean {
    return this.#started < Math.min(TURN_RUNS_MAX, Math.max(1, TURN_MS / this.#meanMs));
  }

  #enterTurn(): void {
    if (this.#started === 0) this.#turnStartMs = this.#clock.nowMs();
    this.#started++;
    this.#running++;
  }

  /** @returns when the turn has come; the run has entered it by then, so nobody passes. */
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

  /** Learns from the turn that ended and starts the next one with those that wait. */
  #endTurn(): void {
    const meanMs = (this.#clock.nowMs() - this.#turnStartMs) / this.#started;
    this.#meanMs =
      this.#meanMs === Infinity ? meanMs : this.#meanMs + NEWEST_WEIGHT * (meanMs - this.#meanMs);
    this.#started = 0;
    for (const next of this.#waiting) {
      if (!this.#hasRoom()) return;
      this.#waiting.delete(next);
      // A timer may be late: the clock decides.
      const refusal = this.#refusal(next);
      if (refusal === undefined) {
        this.#enterTurn();
        this.#beginning++;
        next.start();
      } else next.refuse(refusal);
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
