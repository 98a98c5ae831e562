/** Lines of one thread that reach the log in a second; the rest of that second is left out. */
export const LINES_PER_SECOND_MAX = 100;
/** Characters of a line; the rest of it is cut. */
export const LINE_LENGTH_MAX = 4096;

export type PrintLevel = "info" | "warn";

/** Makes lines of what a function prints, not more than a log can take. */
export class PrintedLines {
  readonly #send: (level: PrintLevel, line: string) => void;
  readonly #nowMs: () => number;
  /** What has no end of its line yet, of either level. */
  readonly #rest = { info: "", warn: "" };
  #secondFromMs = -Infinity;
  #lineCount = 0;

  constructor(send: (level: PrintLevel, line: string) => void, nowMs: () => number) {
    this.#send = send;
    this.#nowMs = nowMs;
  }

  add(level: PrintLevel, text: string): void {
    const lines = `${this.#rest[level]}${text}`.split("\n");
    // Without an end the line would grow for ever; what is behind the limit is cut anyway.
    this.#rest[level] = (lines.pop() ?? "").slice(0, LINE_LENGTH_MAX);
    for (const line of lines) this.#pass(level, line);
  }

  #pass(level: PrintLevel, line: string): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#secondFromMs >= 1000) {
      this.#secondFromMs = nowMs;
      this.#lineCount = 0;
    }
    this.#lineCount++;
    if (this.#lineCount <= LINES_PER_SECOND_MAX) this.#send(level, line.slice(0, LINE_LENGTH_MAX));
    else if (this.#lineCount === LINES_PER_SECOND_MAX + 1) {
      const limit = `more than ${LINES_PER_SECOND_MAX} lines a second`;
      this.#send("warn", `The function prints ${limit}: the rest of this second is left out`);
    }
  }
}
