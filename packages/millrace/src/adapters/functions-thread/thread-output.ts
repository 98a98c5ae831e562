import type { Readable } from "node:stream";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../ports/logger.ts";

/** Lines of one thread that reach the log in a second; the rest is counted. */
export const LINES_PER_SECOND_MAX = 100;
/** Characters of a line; the rest of it is cut. */
export const LINE_LENGTH_MAX = 4096;

export interface ThreadOutputOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Stand with every line. */
  readonly fields: object;
}

/** Brings what a function prints into the log: `console.log` as info, `console.error` as warn. */
export class ThreadOutput {
  readonly #options: ThreadOutputOptions;
  #secondFromMs = -Infinity;
  #lineCount = 0;

  constructor(options: ThreadOutputOptions) {
    this.#options = options;
  }

  /** Logs the lines of a stream until it ends. */
  follow(stream: Readable, level: "info" | "warn"): void {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      const lines = `${rest}${chunk}`.split("\n");
      // Without an end the line would grow for ever; what is behind the limit would be cut anyway.
      rest = (lines.pop() ?? "").slice(0, LINE_LENGTH_MAX);
      for (const line of lines) this.#write(line, level);
    });
    stream.on("close", () => {
      if (rest !== "") this.#write(rest, level);
    });
  }

  #write(line: string, level: "info" | "warn"): void {
    const { clock, log, fields } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs - this.#secondFromMs >= 1000) {
      this.#secondFromMs = nowMs;
      this.#lineCount = 0;
    }
    this.#lineCount++;
    if (this.#lineCount <= LINES_PER_SECOND_MAX) log[level](fields, line.slice(0, LINE_LENGTH_MAX));
    else if (this.#lineCount === LINES_PER_SECOND_MAX + 1) {
      const limit = `more than ${LINES_PER_SECOND_MAX} lines a second`;
      log.warn(fields, `The function prints ${limit}: the rest of this second is left out`);
    }
  }
}
