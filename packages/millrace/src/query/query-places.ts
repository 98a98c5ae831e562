import { MillraceError } from "../core/errors.ts";

/** Queries that run at once: each may use all of the memory and every thread. */
const RUNNING_MAX = 2;

/** Queries that wait for one of them to end. */
const WAITING_MAX = 8;

interface Waiting {
  readonly enter: () => void;
}

/** How many queries run, and how many wait until they may. */
export class QueryPlaces {
  readonly #waiting: Waiting[] = [];
  #runningCount = 0;

  get isEmpty(): boolean {
    return this.#runningCount === 0;
  }

  /**
   * Waits for a place, in the order of the calls.
   * @returns what gives the place back, once.
   * @throws OVERLOADED when too many wait; the reason of `signal` when that ends the wait.
   */
  async take(signal: AbortSignal | undefined): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#runningCount < RUNNING_MAX) this.#runningCount++;
    else await this.#wait(signal);
    return () => this.#giveBack();
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.length >= WAITING_MAX) {
      const message = `Cannot begin the query: ${RUNNING_MAX} run and ${WAITING_MAX} wait, no more may`;
      throw new MillraceError("OVERLOADED", message, { reason: "queries", retryAfterSeconds: 1 });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { enter: resolve };
    const leave = (): void => {
      const index = this.#waiting.indexOf(waiting);
      if (index < 0) return; // it has its place by now, and gives it back itself
      this.#waiting.splice(index, 1);
      reject(signal?.reason as Error);
    };
    this.#waiting.push(waiting);
    signal?.addEventListener("abort", leave, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  /** A place goes from hand to hand: nobody who comes now overtakes those who wait. */
  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#runningCount--;
    else next.enter();
  }
}
