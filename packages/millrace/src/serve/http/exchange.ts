import type { Prediction } from "../data-plane.ts";

/**
 * A request of a hot route whose body has been read, whichever way its bytes came: through Fastify or the fast
 * lane. Handlers take this and nothing of either, so that there is one handler and not two.
 */
export interface Exchange {
  /** Echoed in `x-request-id`. */
  readonly requestId: string;
  /** When the head of the request was read, on the clock's `nowMs`. */
  readonly receivedMs: number;
  /** Service named in the path; undefined is the default one. */
  readonly service: string | undefined;
  /** Version as it stands in the path, not checked. */
  readonly version: string | undefined;
  /** @param name in lower case. @returns the value, undefined when the request has no such header. */
  header(name: string): string | undefined;
  /** As it came: encoded when `content-encoding` says so; empty when there is none. */
  readonly body: Uint8Array;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal | undefined;
  /** Set by the handler as soon as it is known: error replies and the access line have it. */
  predictionId: string | undefined;
  /** Set by the handler when there is one: for the access line. */
  prediction: Prediction | undefined;
}

/** What goes back. The sender adds `content-length`, `x-request-id` and `connection`. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Uint8Array;
}
