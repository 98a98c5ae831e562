import type { Clock } from "../../../core/clock.ts";
import type { Answer, RequestFacts } from "../exchange.ts";
import { STATUS_CODES } from "../node-http.ts";

/** Writes the heads of replies. */
export class ReplyText {
  readonly #clock: Clock;
  readonly #keepAlive: string;
  readonly #statusLines = new Map<number, string>();
  readonly #prebuilt = new WeakMap<Answer, Uint8Array>();
  #date = "";
  #dateSecond = -1;

  /** @param keepAliveMs idle time after which a connection is closed: clients are told. */
  constructor(clock: Clock, keepAliveMs: number) {
    this.#clock = clock;
    const seconds = Math.floor(keepAliveMs / 1000);
    this.#keepAlive = `connection: keep-alive\r\nkeep-alive: timeout=${seconds}\r\n`;
  }

  /**
   * @param isLast closes the connection.
   * @returns status line, headers and the empty line; ASCII.
   */
  head(answer: Answer, bodyBytes: number, request: RequestFacts, isLast: boolean): string {
    const { requestId, predictionId, variant } = request;
    let head = this.#statusLine(answer.status);
    for (const [name, value] of answer.headers) head += `${name}: ${value}\r\n`;
    if (predictionId !== undefined) head += `x-prediction-id: ${predictionId}\r\n`;
    if (variant !== undefined) head += `x-model-variant: ${variant}\r\n`;
    return (
      `${head}x-request-id: ${requestId}\r\ncontent-length: ${bodyBytes}\r\n` +
      `${this.#dateLine()}${isLast ? CLOSE : this.#keepAlive}\r\n`
    );
  }

  /** The whole reply, on a connection that stays open, with nothing of a single request in it; kept as long as `answer` is. */
  prebuilt(answer: Answer): Uint8Array {
    let bytes = this.#prebuilt.get(answer);
    if (bytes === undefined) {
      const body = Buffer.from(answer.body);
      let head = this.#statusLine(answer.status);
      for (const [name, value] of answer.headers) head += `${name}: ${value}\r\n`;
      head += `content-length: ${body.length}\r\n${this.#keepAlive}\r\n`;
      bytes = Buffer.concat([Buffer.from(head), body]);
      this.#prebuilt.set(answer, bytes);
    }
    return bytes;
  }

  #statusLine(status: number): string {
    let line = this.#statusLines.get(status);
    if (line === undefined) {
      line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
      this.#statusLines.set(status, line);
    }
    return line;
  }

  /** The header counts seconds, so one text serves for that long. */
  #dateLine(): string {
    const wallMs = this.#clock.wallMs();
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#dateSecond) {
      this.#date = `date: ${new Date(wallMs).toUTCString()}\r\n`;
      this.#dateSecond = second;
    }
    return this.#date;
  }
}

const CLOSE = "connection: close\r\n";
