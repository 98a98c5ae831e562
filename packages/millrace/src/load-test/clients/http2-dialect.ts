import type { IncomingHttpHeaders } from "node:http2";
import type { LoadTarget } from "../payloads/load-target.ts";

/** What differs between requests that are plain HTTP/2, and those of a protocol on top of it. */
export interface Http2Dialect {
  /** @throws LoadInputError for a target that cannot be asked so. */
  prepare(target: LoadTarget): Http2Request;
  outcomeOf(answer: Http2Answer): Outcome;
}

/** What is the same for all requests of a target. */
export interface Http2Request {
  /** Name, value, name, value …; pseudo headers first, no content-length. */
  readonly headers: readonly string[];
  /**
   * @param body what the target says; the result may be a view of it.
   * @returns the bytes of DATA frames. @throws LoadInputError when the protocol has no such body.
   */
  dataOf(body: Uint8Array): Uint8Array;
}

/** An answer that came whole. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Undefined where none came. */
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly bodyBytes: number;
}

/** As in Ending. */
export interface Outcome {
  readonly code: number;
  readonly error: string;
}
