import { StringDecoder } from "node:string_decoder";
import type { Readable } from "node:stream";

export interface OutputLinesOptions {
  /** Gets each line without its end; long ones are cut. */
  readonly onLine: (line: string) => void;
  /** Gets, once a second at most, how many lines were left out. */
  readonly onLeftOut: (lineCount: number) => void;
}

/** Longest line in characters; the rest of a longer one is left out. */
export const LINE_LENGTH_MAX = 2_000;

/** Lines of one stream that are passed on in a second. */
export const LINES_PER_SECOND_MAX = 100;

/** Read from one stream in a second: a program that writes more waits, so that it cannot keep the reader busy. */
const BYTES_PER_SECOND_MAX = 4 * 1024 * 1024;

const SECOND_MS = 1_000;

/** The lines of an output of a program, as many and as long as a log should take. */
export class OutputLines {
  readonly #stream: Readable;
  readonly #options: OutputLinesOptions;
  readonly #decoder = new StringDecoder("utf8");
  /** Begin of a line whose end has not come yet. */
  #open = "";
  #lineCount = 0;
  #byteCount = 0;
  #leftOutCount = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastLine: string | undefined;

  constructor(stream: Readable, options: OutputLinesOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.once("close", () => this.#finish());
    stream.on("error", () => undefined); // its end is what counts
  }

  /** The last one, whether it was passed on or not. */
  get lastLine(): string | undefined {
    return this.#lastLine;
  }

  #take(chunk: Buffer): void {
    this.#timer ??= setTimeout(() => this.#startSecond(), SECOND_MS).unref();
    const parts = this.#decoder.write(chunk).split("\n");
    for (let i = 0; i < parts.length - 1; i++) {
      this.#pass(this.#open + (parts[i] as string));
      this.#open = "";
    }
    this.#open = (this.#open + (parts.at(-1) as string)).slice(0, LINE_LENGTH_MAX + 1);
    this.#byteCount += chunk.length;
    if (this.#byteCount > BYTES_PER_SECOND_MAX) this.#stream.pause();
  }

  #pass(line: string): void {
    const text = line.trimEnd();
    if (text === "") return;
    const isLong = text.length > LINE_LENGTH_MAX;
    this.#lastLine = isLong ? `${text.slice(0, LINE_LENGTH_MAX)}…` : text;
    if (++this.#lineCount > LINES_PER_SECOND_MAX) this.#leftOutCount++;
    else this.#options.onLine(this.#lastLine);
  }

  #startSecond(): void {
    this.#timer = undefined;
    this.#lineCount = 0;
    this.#byteCount = 0;
    this.#reportLeftOut();
    this.#stream.resume();
  }

  #reportLeftOut(): void {
    const count = this.#leftOutCount;
    this.#leftOutCount = 0;
    if (count > 0) this.#options.onLeftOut(count);
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#pass(this.#open + this.#decoder.end());
    this.#open = "";
    this.#reportLeftOut();
  }
}
