import type { CommandIo } from "./command.ts";

/** What stood still so long has been stopped, and something else was written meanwhile. */
const STALE_MS = 2000;

/**
 * Some lines at the end of a terminal that are written over again and again. It changes no mode of the terminal and
 * hides no cursor, so that whatever ends the process leaves nothing behind but text.
 */
export class ScreenBlock {
  readonly #stderr: CommandIo["stderr"];
  /** Lengths of the lines that stand there. */
  #lengths: readonly number[] = [];
  #shown = "";
  #writtenMs = -Infinity;

  constructor(stderr: CommandIo["stderr"]) {
    this.#stderr = stderr;
  }

  /** Lines that fit on the terminal, with a line above them and one for the cursor. */
  get rowsMax(): number {
    const { rows = 0 } = this.#stderr;
    return rows > 0 ? Math.max(1, rows - 2) : Infinity;
  }

  /** @param lines each narrower than the terminal. @param lengths how many characters of each are seen. */
  show(lines: readonly string[], lengths: readonly number[], nowMs: number): void {
    const text = lines.join("\n");
    if (text === this.#shown) {
      this.#writtenMs = nowMs;
      return;
    }
    if (nowMs - this.#writtenMs > STALE_MS) this.#lengths = [];
    this.#stderr.write(
      `${this.#toTop()}${lines.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`,
    );
    this.#lengths = lengths;
    this.#shown = text;
    this.#writtenMs = nowMs;
  }

  /** Takes it away; what is written next stands in its place. */
  clear(): void {
    if (this.#lengths.length > 0) this.#stderr.write(`${this.#toTop()}\u001b[J`);
    this.#lengths = [];
    this.#shown = "";
  }

  /** A terminal that has become narrower has broken the lines that stand there. */
  #toTop(): string {
    const { columns = 0 } = this.#stderr;
    const rows = this.#lengths.reduce(
      (sum, length) => sum + Math.max(1, columns > 0 ? Math.ceil(length / columns) : 1),
      0,
    );
    return rows === 0 ? "\r" : `\r\u001b[${rows}A`;
  }
}
