import type { ByteBudget } from "../../core/batch/byte-budget.ts";
import { Cancellation } from "../../core/cancellation.ts";
import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import type { SkipReason } from "../../core/shadow/shadow-pair.ts";
import type { LoopTurns } from "./loop-turns.ts";

export interface PoolLimits {
  /** Copies in work at a time, at least 1. */
  readonly concurrency: number;
  /** Copies that wait; one more is left out. */
  readonly queue: number;
}

/** What bounds one copy. */
export interface CopyLimits {
  /** On `clock.nowMs`. */
  readonly startedMs: number;
  readonly deadlineAtMs: number;
  /** Cancelled at the deadline, and when the pool is closed. */
  readonly cancellation: Cancellation;
}

export interface ShadowPoolOptions<T> {
  readonly clock: Clock;
  readonly limits: PoolLimits;
  /** Memory of the copies that wait or are in work, of all shadows of the process. */
  readonly budget: ByteBudget;
  readonly turns: LoopTurns;
  /**
   * Copies are begun so many milliseconds after the first that waits, all at once: together they wake a thread or two and share
   * runs, where one by one each would take the core from an answer. Nobody waits for them.
   */
  readonly gatherMs: number;
  /** Longest time that a copy waits once it was gathered, and then again that it takes. */
  readonly timeoutMs: () => number;
  /** Must not reject, and ends soon once it is cancelled. */
  readonly run: (copy: T, limits: CopyLimits) => Promise<void>;
  readonly skipped: (reason: SkipReason, copy: T) => void;
}

interface Waiting<T> {
  readonly copy: T;
  readonly bytes: number;
  readonly offeredMs: number;
}

interface Running {
  readonly deadlineAtMs: number;
  readonly cancellation: Cancellation;
}

/**
 * Copies of requests on their way to one shadow: so many at a time, so many that wait, so much memory. Nobody waits for
 * it: what finds no place is left out, the newest first, and what hangs loses its place at its deadline.
 */
export class ShadowPool<T> {
  readonly #options: ShadowPoolOptions<T>;
  #limits: PoolLimits;
  readonly #waiting: Waiting<T>[] = [];
  readonly #running = new Set<Running>();
  #isGathering = false;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Infinity;
  #isClosed = false;

  constructor(options: ShadowPoolOptions<T>) {
    this.#options = options;
    this.#limits = options.limits;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Those that wait or run already stay. */
  configure(limits: PoolLimits): void {
    this.#limits = limits;
  }

  /** @param bytes memory that the copy keeps from being freed. */
  offer(copy: T, bytes: number): void {
    const { clock, budget, skipped } = this.#options;
    if (this.#isClosed) return skipped("inactive", copy);
    const { concurrency, queue } = this.#limits;
    const isFull = this.#running.size + this.#waiting.length >= concurrency + queue;
    if (isFull || !budget.take(bytes)) return skipped("queue", copy);
    this.#waiting.push({ copy, bytes, offeredMs: clock.nowMs() });
    this.#gather();
  }

  /** Leaves out what waits, and what comes from now on; gives up what runs. */
  close(): void {
    this.#isClosed = true;
    for (const { copy, bytes } of this.#waiting.splice(0)) {
      this.#options.budget.give(bytes);
      this.#options.skipped("inactive", copy);
    }
    this.#cancelTimer?.();
    for (const { cancellation } of this.#running) cancellation.cancel(givenUp());
  }

  /** Begins what waits, when the first of it has waited for company. */
  #gather(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#isGathering) return;
    const { clock, gatherMs } = this.#options;
    const leftMs = first.offeredMs + gatherMs - clock.nowMs();
    if (leftMs <= 0) return this.#start();
    this.#isGathering = true;
    clock.schedule(leftMs, this.#gathered);
  }

  readonly #gathered = (): void => {
    this.#isGathering = false;
    this.#start();
  };

  #start(): void {
    while (this.#running.size < this.#limits.concurrency) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      void this.#run(next);
    }
  }

  async #run({ copy, bytes, offeredMs }: Waiting<T>): Promise<void> {
    const { clock, budget, turns, gatherMs, run, skipped } = this.#options;
    const timeoutMs = this.#options.timeoutMs();
    const cancellation = new Cancellation();
    // A place is taken at once, so that no more than so many wait for a turn.
    const place: Running = { deadlineAtMs: Infinity, cancellation };
    this.#running.add(place);
    await turns.turn();
    this.#running.delete(place);
    const startedMs = clock.nowMs();
    if (this.#isClosed) skipped("inactive", copy);
    else if (startedMs - offeredMs > gatherMs + timeoutMs) skipped("deadline", copy);
    else {
      const deadlineAtMs = startedMs + timeoutMs;
      const running: Running = { deadlineAtMs, cancellation };
      this.#running.add(running);
      this.#watch(deadlineAtMs);
      await run(copy, { startedMs, deadlineAtMs, cancellation });
      this.#running.delete(running);
    }
    budget.give(bytes);
    this.#gather();
  }

  /** One timer for all, set to the first deadline. */
  #watch(deadlineAtMs: number): void {
    if (deadlineAtMs >= this.#timerAtMs) return;
    const { clock } = this.#options;
    this.#cancelTimer?.();
    this.#timerAtMs = deadlineAtMs;
    this.#cancelTimer = clock.schedule(deadlineAtMs - clock.nowMs(), this.#giveUpLate);
  }

  readonly #giveUpLate = (): void => {
    this.#timerAtMs = Infinity;
    const nowMs = this.#options.clock.nowMs();
    let nextMs = Infinity;
    for (const { deadlineAtMs, cancellation } of this.#running) {
      if (deadlineAtMs <= nowMs) cancellation.cancel(tooLate());
      else nextMs = Math.min(nextMs, deadlineAtMs);
    }
    if (nextMs < Infinity) this.#watch(nextMs);
  };
}

function tooLate(): MillraceError {
  const text = "Cannot predict: the shadow has not answered in its time";
  return MillraceError.withoutStack("DEADLINE_EXCEEDED", text);
}

function givenUp(): MillraceError {
  return MillraceError.withoutStack(
    "CANCELLED",
    "Cannot predict: the shadow gets no copies any more",
  );
}
