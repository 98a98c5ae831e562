import type { Ending } from "./clients/load-client.ts";
import { RESULT_COLUMNS, type ResultBlock } from "./result-block.ts";

/**
 * Results of one block. Where the thread that counts them shares its core with one that sends, nothing is sent
 * meanwhile: 128 take a quarter of a millisecond.
 */
const RESULTS_MAX = 128;

/** Collects how requests ended, until it is taken. */
export class ResultRecorder {
  /** Used again for every block; what is handed over is cut to its length. */
  readonly #values = new Float64Array(RESULTS_MAX * RESULT_COLUMNS);
  #count = 0;
  #numberOfError = new Map<string, number>();
  #dropped: number[] = [];

  get isFull(): boolean {
    return this.#count === RESULTS_MAX || this.#dropped.length >= RESULTS_MAX;
  }

  /** Must not be full. */
  ended(ending: Ending): void {
    const { start, error } = ending;
    const values = this.#values;
    const at = this.#count * RESULT_COLUMNS;
    this.#count++;
    // In the order of RESULT.
    values[at] = start.seq;
    values[at + 1] = start.target;
    values[at + 2] = start.intendedMs;
    values[at + 3] = ending.sentMs;
    values[at + 4] = ending.firstByteMs;
    values[at + 5] = ending.doneMs;
    values[at + 6] = ending.code;
    values[at + 7] = ending.bytesOut;
    values[at + 8] = ending.bytesIn;
    values[at + 9] = error === "" ? 0 : this.#numberOf(error);
  }

  dropped(dueMs: number): void {
    this.#dropped.push(dueMs);
  }

  /** @returns everything since it was last called. */
  take(): Omit<ResultBlock, "thread"> {
    const block = {
      values: this.#values.slice(0, this.#count * RESULT_COLUMNS),
      count: this.#count,
      errors: [...this.#numberOfError.keys()],
      dropped: this.#dropped,
    };
    this.#count = 0;
    if (this.#numberOfError.size > 0) this.#numberOfError = new Map();
    if (this.#dropped.length > 0) this.#dropped = [];
    return block;
  }

  #numberOf(error: string): number {
    const known = this.#numberOfError.get(error);
    if (known !== undefined) return known;
    const number = this.#numberOfError.size + 1;
    this.#numberOfError.set(error, number);
    return number;
  }
}
