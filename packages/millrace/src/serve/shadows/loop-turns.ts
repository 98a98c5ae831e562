import type { Clock } from "../../core/clock.ts";

/** Pieces of work of one turn of the loop: each takes some ten microseconds, and a request may wait behind them. */
const PIECES_PER_TURN = 2;

/**
 * Hands out the event loop in small pieces, so that work which nobody waits for never holds up who does: between the
 * pieces everything is read and answered that has arrived. As many wait here as their owners let.
 */
export class LoopTurns {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];
  #isScheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves in one of the next turns, in the order of the calls. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.soon(this.#run);
  }

  readonly #run = (): void => {
    this.#isScheduled = false;
    const now = this.#waiting.slice(0, PIECES_PER_TURN);
    this.#waiting = this.#waiting.slice(PIECES_PER_TURN);
    if (this.#waiting.length > 0) this.#schedule();
    for (const resolve of now) resolve();
  };
}
