import {
  constants,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import type { Http2Connection } from "./http2-connection.ts";
import type { Http2Answer } from "./http2-dialect.ts";
import { resetText } from "./http2-failure.ts";
import type { Start } from "./load-client.ts";

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

type Head = IncomingHttpHeaders & IncomingHttpStatusHeader;

const NO_HEADERS: Head = {};

export interface Http2ExchangeEvents {
  /** ms as in Start. */
  now(): number;
  answered(exchange: Http2Exchange, answer: Http2Answer): void;
  /** @param isRefused the server has not begun with it: it may be sent again. */
  failed(exchange: Http2Exchange, why: string, isRefused: boolean): void;
}

/** A request that is on its way. */
interface Way {
  readonly connection: Http2Connection;
  readonly stream: ClientHttp2Stream;
}

/** One request and its answer; on a second stream where the server has refused the first one. */
export class Http2Exchange {
  readonly start: Start;
  readonly sentMs: number;
  bytesOut = 0;
  bytesIn = 0;
  firstByteMs = NaN;
  /** How often it was sent. */
  tries = 0;
  readonly #events: Http2ExchangeEvents;
  #way: Way | undefined;
  #headers = NO_HEADERS;
  #trailers: IncomingHttpHeaders | undefined;

  constructor(start: Start, events: Http2ExchangeEvents) {
    this.start = start;
    this.#events = events;
    this.sentMs = events.now();
  }

  /** @throws what Node has against the request; nothing is under way then. */
  send(connection: Http2Connection, headers: readonly string[], data: Uint8Array): void {
    this.tries++;
    this.bytesOut = data.length;
    const stream = connection.request(headers, data);
    const way = { connection, stream };
    this.#way = way;
    stream.on("response", (head: Head) => {
      this.firstByteMs = this.#events.now();
      this.#headers = head;
    });
    stream.on("data", (chunk: Buffer) => {
      this.bytesIn += chunk.length;
    });
    stream.on("trailers", (trailers: IncomingHttpHeaders) => {
      this.#trailers = trailers;
    });
    stream.on("end", () => {
      if (this.#way === way && stream.rstCode === NGHTTP2_NO_ERROR) this.#end(way);
    });
    let error: Error | undefined;
    stream.on("error", (thrown: Error) => {
      error = thrown;
    });
    stream.on("close", () => {
      if (this.#way === way) this.#fail(way, error);
    });
  }

  giveUp(): void {
    const way = this.#way;
    this.#way = undefined;
    way?.stream.close(NGHTTP2_CANCEL);
    way?.connection.givenUp(this.sentMs);
  }

  /** The server has nothing more to say: answered, unless it never said anything, or less than it promised. */
  #end({ connection, stream }: Way): void {
    const { [":status"]: status, "content-length": promised } = this.#headers;
    if (status === undefined) return; // "close" follows
    this.#way = undefined;
    // All was said before all was heard: nobody reads the rest of the request.
    if (!stream.writableFinished) stream.close(NGHTTP2_CANCEL);
    connection.answered(this.#events.now());
    const { bytesIn } = this;
    if (bytesIn > 0 && promised !== undefined && Number(promised) !== bytesIn) {
      this.#events.failed(this, `answer cut: ${bytesIn} of ${promised} bytes came`, false);
      return;
    }
    const trailers = this.#trailers;
    this.#events.answered(this, { status, headers: this.#headers, trailers, bodyBytes: bytesIn });
  }

  #fail({ connection, stream }: Way, error: Error | undefined): void {
    this.#way = undefined;
    connection.failed();
    const rstCode = stream.rstCode ?? NGHTTP2_NO_ERROR;
    const why = connection.failureOf(error) ?? resetText(rstCode);
    const isRefused = rstCode === NGHTTP2_REFUSED_STREAM && this.#headers === NO_HEADERS;
    this.#events.failed(this, why, isRefused);
  }
}
