import type { Cancellation } from "../cancellation.ts";
import type { Clock } from "../clock.ts";
import { MillraceError } from "../errors.ts";

export interface GateLimits {
  /** Requests inside at a time, at least 1; Infinity has no limit. */
  readonly concurrency: number;
  /** Requests that wait for a place; 0 refuses at once when there is none. */
  readonly queue: number;
}

/**
 * `entered`: inside, without waiting. A promise: resolves when inside; rejects with DEADLINE_EXCEEDED or the
 * reason of the cancellation, and then the request is not inside. `refused`: there is no place, neither inside nor in the line.
 */
export type GateAnswer = "entered" | "refused" | Promise<void>;

/** One that waits, linked to its neighbours so that it can leave from the middle of the line at once. */
interface Waiter {
  before: Waiter | undefined;
  after: Waiter | undefined;
  readonly deadlineAtMs: number;
  readonly enter: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * Lets a number of requests in at a time; the others wait in a bounded line, first come, first served. Whoever is
 * inside calls `leave` once. One that is cancelled or reaches its deadline leaves the line at that moment, in O(1),
 * without having been inside. Both limits may change at any time: those inside stay, those in the line too, and a
 * place that opens is given away at once.
 */
export class ConcurrencyGate {
  readonly #clock: Clock;
  #limits: GateLimits;
  #inside = 0;
  #waiting = 0;
  #first: Waiter | undefined;
  #last: Waiter | undefined;

  constructor(clock: Clock, limits: GateLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get limits(): GateLimits {
    return this.#limits;
  }

  /**
   * Allocates nothing unless it has to wait. A deadline that has passed and a cancellation are seen when waiting;
   * where a place is free, whoever runs the request sees them.
   */
  enter(deadlineAtMs: number, cancellation?: Cancellation): GateAnswer {
    // Where a place is free nobody waits: a place that opens is given away at once.
    if (this.#inside < this.#limits.concurrency) {
      this.#inside++;
      return "entered";
    }
    return this.#waiting < this.#limits.queue ? this.#wait(deadlineAtMs, cancellation) : "refused";
  }

  /** Frees the place of one that was inside. */
  leave(): void {
    this.#inside--;
    this.#admitWaiting();
  }

  setLimits(limits: GateLimits): void {
    this.#limits = limits;
    this.#admitWaiting();
  }

  async #wait(deadlineAtMs: number, cancellation: Cancellation | undefined): Promise<void> {
    cancellation?.throwIfCancelled();
    let stopWatching = (): void => undefined;
    try {
      await new Promise<void>((enter, refuse) => {
        const waiter = this.#append({ deadlineAtMs, enter, refuse });
        const expire = (): void => this.#drop(waiter, tooLate());
        const leave = (): void => this.#drop(waiter, cancellation?.reason);
        const cancelTimer = this.#clock.schedule(deadlineAtMs - this.#clock.nowMs(), expire);
        const forget = cancellation?.watch(leave);
        stopWatching = () => {
          cancelTimer();
          forget?.();
        };
      });
    } finally {
      stopWatching();
    }
  }

  #append(options: Omit<Waiter, "before" | "after">): Waiter {
    const waiter: Waiter = { ...options, before: this.#last, after: undefined };
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.after = waiter;
    this.#last = waiter;
    this.#waiting++;
    return waiter;
  }

  /** Takes a waiter out of the line; nothing changes when it has left already. */
  #remove(waiter: Waiter): void {
    const { before, after } = waiter;
    if (before === undefined && this.#first !== waiter) return;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    waiter.before = undefined;
    waiter.after = undefined;
    this.#waiting--;
  }

  /** Its timer or its cancellation may come after its place did, and before it goes on: then it is inside, and stays. */
  #drop(waiter: Waiter, reason: unknown): void {
    this.#remove(waiter);
    waiter.refuse(reason);
  }

  #admitWaiting(): void {
    while (this.#first !== undefined && this.#inside < this.#limits.concurrency) {
      const waiter = this.#first;
      this.#remove(waiter);
      // A timer may be late: the clock decides.
      if (this.#clock.nowMs() >= waiter.deadlineAtMs) {
        waiter.refuse(tooLate());
        continue;
      }
      this.#inside++;
      waiter.enter();
    }
  }
}

function tooLate(): MillraceError {
  return MillraceError.withoutStack(
    "DEADLINE_EXCEEDED",
    "Cannot predict: the deadline passed while the request waited for its turn",
  );
}
