/** Results of a second are handed over within this time after it. */
const LATE_MS = 300;

/** Calls once for each second of a run, shortly after it. */
export class WindowTicker {
  readonly #startedAtMs: number;
  readonly #onSecond: (second: number) => void;
  #second = 0;
  #timer: NodeJS.Timeout;

  /** @param onSecond gets the number of the second, from 0; one that could not be told in time is left out. */
  constructor(startedAtMs: number, onSecond: (second: number) => void) {
    this.#startedAtMs = startedAtMs;
    this.#onSecond = onSecond;
    this.#timer = this.#wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(): NodeJS.Timeout {
    const dueAtMs = this.#startedAtMs + (this.#second + 1) * 1000 + LATE_MS;
    return setTimeout(() => this.#tick(), Math.max(0, dueAtMs - Date.now()));
  }

  #tick(): void {
    const over = Math.floor((Date.now() - this.#startedAtMs - LATE_MS) / 1000);
    // A timer may be a millisecond early.
    const second = Math.max(this.#second, over - 1);
    this.#second = second + 1;
    this.#timer = this.#wait();
    this.#onSecond(second);
  }
}
