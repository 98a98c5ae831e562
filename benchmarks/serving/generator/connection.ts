import { connect, type Socket } from "node:net";
import { readReplyHead } from "./reply-reader.ts";

/** What a connection tells its owner. */
export interface ConnectionEvents {
  /** The answer is there as a whole; the connection can take the next request. */
  onReply(connection: Connection, status: number): void;
  /** It is connected, and a request given to it before has been sent. */
  onOpen(connection: Connection): void;
  /** It is gone, for whatever reason; called once. */
  onGone(connection: Connection): void;
}

const NO_BYTES = Buffer.alloc(0);
const REPLY_BYTES_MAX = 2 ** 20;

/** One keep-alive connection with at most one request under way. */
export class Connection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #events: ConnectionEvents;
  #partial = NO_BYTES;
  #isConnected = false;
  #isGone = false;
  isBusy = false;
  /** When the request under way was due. */
  dueMs = 0;
  /** When it was handed to this connection. */
  sentMs = 0;

  /** @param buffer shared by all connections: each read is used up before the next one. */
  constructor(port: number, request: Buffer, buffer: Buffer, events: ConnectionEvents) {
    this.#request = request;
    this.#events = events;
    this.#socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: { buffer, callback: (count) => this.#read(buffer, count) },
    });
    this.#socket.once("connect", () => this.#opened());
    this.#socket.once("close", () => this.#gone());
    this.#socket.on("end", () => this.#socket.destroy()); // the server hung up
    this.#socket.on("error", () => undefined); // "close" follows
  }

  /** Sends the request, at once or as soon as the connection stands. */
  send(dueMs: number, nowMs: number): void {
    this.isBusy = true;
    this.dueMs = dueMs;
    this.sentMs = nowMs;
    if (this.#isConnected) this.#socket.write(this.#request);
  }

  /** Gives up the answer: the server sees a reset. `onGone` is not called. */
  reset(): void {
    this.#isGone = true;
    this.#socket.resetAndDestroy();
  }

  #opened(): void {
    this.#isConnected = true;
    if (this.isBusy) this.#socket.write(this.#request);
    this.#events.onOpen(this);
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#events.onGone(this);
  }

  #read(buffer: Buffer, count: number): boolean {
    const { bytes, end } = this.#withPartial(buffer, count);
    const head = readReplyHead(bytes, end);
    if (head === undefined || end < head.bytes) {
      // A copy: the buffer belongs to the next read.
      this.#partial = Buffer.from(bytes.subarray(0, end));
      if (end > REPLY_BYTES_MAX) this.#socket.destroy();
      return true;
    }
    this.#partial = NO_BYTES;
    if (end !== head.bytes || !this.isBusy) {
      this.#socket.destroy(); // more than was asked for
      return true;
    }
    this.isBusy = false;
    this.#events.onReply(this, head.status);
    return true;
  }

  #withPartial(buffer: Buffer, count: number): { bytes: Buffer; end: number } {
    if (this.#partial.length === 0) return { bytes: buffer, end: count };
    const bytes = Buffer.concat([this.#partial, buffer.subarray(0, count)]);
    return { bytes, end: bytes.length };
  }
}
