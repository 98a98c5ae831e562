import type { Socket } from "node:net";
import type { ErrorCode } from "../../../core/errors.ts";
import type { AccessLog } from "../access-log.ts";
import type { Answer } from "../exchange.ts";
import type { LaneTurn } from "./lane-turn.ts";
import type { LaneExchange } from "./lane-exchange.ts";
import type { ReplyText } from "./reply-text.ts";

/** The place of a request in the line of replies. */
export interface ReplyPlace {
  /** Undefined of a request that was refused before it was read. */
  readonly exchange: LaneExchange | undefined;
  /** A finished reply, an answer to be written as one, or nothing yet. */
  reply: Uint8Array | Answer | undefined;
  /** For the access line. */
  code: ErrorCode | undefined;
  /** Turn in which the request came. */
  readonly turn: number;
}

export interface ReplyQueueOptions {
  readonly text: ReplyText;
  readonly accessLog: AccessLog;
  /** Asked for each reply that nothing waits behind: is it the last one of this connection? */
  readonly isClosing: () => boolean;
  readonly turn: Pick<LaneTurn, "number" | "defer">;
  /** Called when replies have left. */
  readonly onSent: () => void;
}

/**
 * Replies of one connection, in the order of their requests, however they finish. What finishes in one turn of
 * the event loop leaves in one write.
 */
export class ReplyQueue {
  readonly #socket: Socket;
  readonly #options: ReplyQueueOptions;
  readonly #places: ReplyPlace[] = [];
  #isScheduled = false;

  constructor(socket: Socket, options: ReplyQueueOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Requests that have no reply yet. */
  get length(): number {
    return this.#places.length;
  }

  /** Takes the next place in the line. */
  enter(exchange: LaneExchange | undefined): ReplyPlace {
    const place: ReplyPlace = {
      exchange,
      reply: undefined,
      code: undefined,
      turn: this.#options.turn.number,
    };
    this.#places.push(place);
    return place;
  }

  /** Gives `place` its reply. */
  fill(place: ReplyPlace, reply: Uint8Array | Answer, code?: ErrorCode): void {
    place.reply = reply;
    place.code = code;
    if (this.#places.length === 1) {
      if (!this.#options.turn.defer(place.turn, this.#sendNow)) this.#send();
    } else if (!this.#isScheduled) {
      this.#isScheduled = true;
      process.nextTick(() => {
        this.#isScheduled = false;
        this.#send();
      });
    }
  }

  readonly #sendNow = (): void => this.#send();

  /** Nobody is left to read replies. */
  clear(): void {
    this.#places.length = 0;
  }

  #send(): void {
    const isMany = this.#places.length > 1;
    if (isMany) this.#socket.cork();
    let sentCount = 0;
    for (let place = this.#places[0]; place?.reply !== undefined; place = this.#places[0]) {
      const isLast = this.#places.length === 1 && this.#options.isClosing();
      if (place.reply instanceof Uint8Array) this.#socket.write(place.reply);
      else this.#write(place.reply, place, isLast);
      this.#places.shift();
      sentCount++;
      if (isLast) this.#socket.destroySoon();
    }
    if (isMany) this.#socket.uncork();
    if (sentCount > 0) this.#options.onSent();
  }

  #write(answer: Answer, place: ReplyPlace, isLast: boolean): void {
    const { text, accessLog } = this.#options;
    const exchange = place.exchange as LaneExchange;
    const { body, status } = answer;
    if (typeof body === "string") {
      const bodyBytes = Buffer.byteLength(body);
      const head = text.head(answer, bodyBytes, exchange, isLast);
      // Text of one byte per character needs no encoder.
      this.#socket.write(head + body, bodyBytes === body.length ? "latin1" : "utf8");
    } else {
      this.#socket.cork();
      this.#socket.write(text.head(answer, body.length, exchange, isLast), "latin1");
      this.#socket.write(body);
      this.#socket.uncork();
    }
    const route = exchange.path.route.url;
    accessLog.write(exchange, { method: "POST", route, status, code: place.code });
  }
}
