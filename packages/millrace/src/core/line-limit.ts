import type { Clock } from "./clock.ts";

/** Things that are told apart; one more makes it forget the others. */
const KEYS_MAX = 1_000;

interface Line {
  passedMs: number;
  heldBack: number;
}

/** Lets a line about each thing into the log once in a while, and counts those that it holds back. */
export class LineLimit {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #lines = new Map<string, Line>();

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /**
   * @param key what the line is about.
   * @returns how many lines were held back since the last one; undefined to hold this one back too.
   */
  pass(key: string): number | undefined {
    const nowMs = this.#clock.nowMs();
    const line = this.#lines.get(key);
    if (line === undefined) {
      if (this.#lines.size >= KEYS_MAX) this.#lines.clear();
      this.#lines.set(key, { passedMs: nowMs, heldBack: 0 });
      return 0;
    }
    if (nowMs - line.passedMs < this.#everyMs) {
      line.heldBack++;
      return undefined;
    }
    const { heldBack } = line;
    line.passedMs = nowMs;
    line.heldBack = 0;
    return heldBack;
  }
}
