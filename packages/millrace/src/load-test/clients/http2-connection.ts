import type { ClientHttp2Session, ClientHttp2Stream, Settings } from "node:http2";
import type { Socket } from "node:net";
import { connectionText, goawayText } from "./http2-failure.ts";
import type { Http2Link } from "./http2-origin.ts";

/** Streams at a time until the server has said how many it takes; RFC 9113 advises servers to take at least so many. */
const STREAMS_ASSUMED = 100;

/** However many a server takes, more at a time wait for each other. */
const STREAMS_MAX = 1_000;

const CLOSED = "connection closed by the server";

export interface Http2ConnectionOptions {
  readonly link: Http2Link;
  /** Its first request is its last one. */
  readonly isForOne: boolean;
  /** It takes no requests any more. */
  readonly retired: (connection: Http2Connection) => void;
  /** Its socket is closed. */
  readonly closed: (connection: Http2Connection) => void;
}

/**
 * One HTTP/2 connection: connecting → ready → retired → closed, where any state may go to closed at once. While it
 * connects it already takes requests. A retired one ends what it has under way and closes itself then.
 */
export class Http2Connection {
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #isForOne: boolean;
  readonly #retired: (connection: Http2Connection) => void;
  readonly #ready = Promise.withResolvers<void>();
  #streams = 0;
  #streamsMax = STREAMS_ASSUMED;
  #isReady = false;
  #isRetired = false;
  #failure: string | undefined;
  /** When an answer came last, ms as in Start. */
  #answeredMs = -Infinity;

  constructor({ link, isForOne, retired, closed }: Http2ConnectionOptions) {
    const { session, socket } = link;
    this.#session = session;
    this.#socket = socket;
    this.#isForOne = isForOne;
    this.#retired = retired;
    this.#ready.promise.catch(() => undefined); // its requests tell, and whoever waits for it
    session.on("remoteSettings", ({ maxConcurrentStreams = STREAMS_MAX }: Settings) => {
      this.#streamsMax = Math.min(maxConcurrentStreams, STREAMS_MAX);
      this.#isReady = true;
      this.#ready.resolve();
    });
    session.on("goaway", (code: number) => {
      if (code !== 0) this.#failure ??= goawayText(code);
      this.retire();
    });
    session.on("error", (error: Error) => this.#fail(connectionText(error)));
    session.on("close", () => {
      this.#fail(CLOSED);
      this.retire();
      closed(this);
    });
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Settles when the server has said what it takes. @throws what hinders it. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get hasRoom(): boolean {
    const { closed, destroyed } = this.#session;
    return !this.#isRetired && this.#streams < this.#streamsMax && !closed && !destroyed;
  }

  get isIdle(): boolean {
    return this.#streams === 0;
  }

  /** What broke it, from what a request was told; undefined while it stands. */
  failureOf(error: Error | undefined): string | undefined {
    if (!this.#session.destroyed) return undefined;
    return this.#failure ?? (error && connectionText(error)) ?? CLOSED;
  }

  /** @throws what Node has against the request; else one of `answered`, `givenUp` and `failed` must follow. */
  request(headers: readonly string[], data: Uint8Array): ClientHttp2Stream {
    this.#streams++;
    if (this.#isForOne) this.#isRetired = true;
    try {
      const stream = this.#session.request(headers, { endStream: data.length === 0 });
      if (data.length > 0) stream.end(data);
      return stream;
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** A request has its answer. */
  answered(nowMs: number): void {
    this.#answeredMs = nowMs;
    this.#release();
  }

  /** A request was given up. What is sent to a server that does not read stays in memory: such a one gets no more. */
  givenUp(sentMs: number): void {
    if (this.#answeredMs < sentMs) this.retire();
    this.#release();
  }

  /** A request has failed. */
  failed(): void {
    this.#release();
  }

  retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#retired(this);
    if (this.#streams === 0) this.destroy();
  }

  /** Breaks it, and what is under way on it. */
  destroy(why?: string): void {
    if (why !== undefined) this.#fail(why);
    this.#session.destroy();
    // After a GOAWAY Node would wait until the server closes it. Not at once: this may run amid its reading of frames, and
    // Node ends the whole process when the socket goes away under that.
    setImmediate(() => this.#socket.destroy());
  }

  #release(): void {
    this.#streams--;
    if (this.#isRetired && this.#streams === 0) this.destroy();
  }

  #fail(text: string): void {
    this.#failure ??= text;
    this.#ready.reject(new Error(this.#failure));
  }
}
