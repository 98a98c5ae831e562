import type { Socket } from "node:net";
import { connectFailure } from "./connect-failure.ts";
import { Http1Reply } from "./http1-reply.ts";
import type { Http1Endpoint } from "./http1-endpoint.ts";
import type { Http1Request } from "./http1-request.ts";
import type { Start } from "./load-client.ts";

/** What a connection tells its owner. */
export interface Http1ConnectionEvents {
  now(): number;
  /** It stands; what was given to it before has been sent. */
  onOpen(connection: Http1Connection): void;
  /** The answer is there as a whole. Where the connection is not usable any more, it is closed now. */
  onAnswer(connection: Http1Connection): void;
  /** It is gone, for whatever reason; called once, unless it was closed from here. */
  onGone(connection: Http1Connection, why: string): void;
}

/** One connection with at most one request under way. */
export class Http1Connection {
  readonly endpoint: Http1Endpoint;
  readonly reply = new Http1Reply();
  /** Of the request under way; undefined where there is none. */
  start: Start | undefined;
  sentMs = NaN;
  firstByteMs = NaN;
  /** When the last bytes came. */
  doneMs = NaN;
  /** Of the body that was sent; 0 until the connection stands. */
  bodyBytes = 0;
  /** An idle one is not used any more from here on: the server is about to close it. */
  idleUntilMs = Infinity;
  /** Neighbours among those that wait for an answer. */
  earlier: Http1Connection | undefined;
  later: Http1Connection | undefined;
  readonly #events: Http1ConnectionEvents;
  readonly #socket: Socket;
  /** Bytes of a request that waits for the connection. */
  #waiting: Buffer | undefined;
  #waitingBodyBytes = 0;
  #isOpen = false;
  #isGone = false;
  #why = "";

  /** @param buffer shared by all connections: each read is used up before the next one. */
  constructor(endpoint: Http1Endpoint, buffer: Uint8Array, events: Http1ConnectionEvents) {
    this.endpoint = endpoint;
    this.#events = events;
    const onread = { buffer, callback: (count: number) => this.#read(buffer, count) };
    this.#socket = endpoint.connect(onread, () => this.#opened());
    this.#socket.on("end", () => this.#ended());
    this.#socket.on("error", (error) => (this.#why ||= connectFailure(error)));
    this.#socket.once("close", () => this.#closed());
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** The server lets it be used again. */
  get isReusable(): boolean {
    return !this.#isGone && this.reply.head.isKeptAlive;
  }

  /** Sends a request, at once or as soon as the connection stands. */
  send(start: Start, request: Http1Request): void {
    const bytes = request.bytesOf(start);
    this.start = start;
    this.firstByteMs = NaN;
    this.reply.begin(request.isHead);
    this.sentMs = this.#events.now();
    if (this.#isOpen) this.#write(bytes, request.bodyBytes);
    else [this.#waiting, this.#waitingBodyBytes] = [bytes, request.bodyBytes];
  }

  /** Nothing is under way. */
  close(): void {
    this.#isGone = true;
    this.#socket.destroy();
  }

  /** Gives up the answer: the server sees a reset. */
  reset(): void {
    this.#isGone = true;
    // Before it stands a reset would wait for that.
    if (this.#isOpen && this.endpoint.isPlainTcp) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #opened(): void {
    this.#isOpen = true;
    if (this.#waiting !== undefined) this.#write(this.#waiting, this.#waitingBodyBytes);
    this.#waiting = undefined;
    this.#events.onOpen(this);
  }

  #write(bytes: Buffer, bodyBytes: number): void {
    this.bodyBytes = bodyBytes;
    this.#socket.write(bytes);
  }

  #read(buffer: Uint8Array, count: number): boolean {
    if (this.#isGone) return false;
    if (this.start === undefined) {
      this.#break("more came than was asked for");
      return false;
    }
    this.doneMs = this.#events.now();
    if (Number.isNaN(this.firstByteMs)) this.firstByteMs = this.doneMs;
    const state = this.reply.read(buffer, count);
    if (state === "done") this.#events.onAnswer(this);
    else if (state === "broken") this.#break(`bad answer: ${this.reply.problem}`);
    return !this.#isGone;
  }

  #ended(): void {
    if (this.#isGone) return;
    if (this.start !== undefined && this.reply.end() === "done") {
      this.doneMs = this.#events.now();
      this.#events.onAnswer(this);
    } else {
      const isBegun = this.start !== undefined && !Number.isNaN(this.firstByteMs);
      this.#break(isBegun ? "socket hang up amid the answer" : "socket hang up");
    }
  }

  #break(why: string): void {
    this.#why = why;
    this.#socket.destroy();
    this.#closed();
  }

  #closed(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#events.onGone(this, this.#why || "socket hang up");
  }
}
