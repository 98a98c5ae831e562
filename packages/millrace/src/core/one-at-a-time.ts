import { MillraceError } from "./errors.ts";

/** Runs asynchronous work in the order it came, each piece when the one before has ended. */
export class OneAtATime {
  readonly #waitingMax: number;
  #waitingCount = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param waitingMax pieces that may wait; one more is refused with OVERLOADED. */
  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  /** @throws OVERLOADED, and what `work` throws. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waitingCount >= this.#waitingMax) {
      const message = `Cannot begin: ${this.#waitingCount} others wait, at most ${this.#waitingMax} may`;
      throw new MillraceError("OVERLOADED", message, { reason: "queue", retryAfterSeconds: 1 });
    }
    this.#waitingCount++;
    const turn = this.#last.then(() => {
      this.#waitingCount--;
      return work();
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
