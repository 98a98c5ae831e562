import type { Cancellation } from "../../core/cancellation.ts";
import type { Prediction } from "../prediction.ts";
import type { RequestTrace } from "../request-trace.ts";

/**
 * Every header that a handler of a hot route may ask for. The list is short on purpose: the fast lane keeps
 * these and skips the rest.
 */
export const HEADER_NAMES = [
  "accept-encoding",
  "authorization",
  "content-encoding",
  "content-type",
  "grpc-timeout",
  "inference-header-content-length",
  "prefer",
  "traceparent",
  "tracestate",
  "x-request-id",
  "x-request-timeout",
] as const;

export type HeaderName = (typeof HEADER_NAMES)[number];

/** What can be told of a request whether it is being read, answered or has failed. */
export interface RequestFacts {
  /** Echoed in `x-request-id`. */
  readonly requestId: string;
  /** When the head of the request was read, on the clock's `nowMs`. */
  readonly receivedMs: number;
  /** Set by the handler as soon as it is known: error replies and the access line have it. */
  predictionId: string | undefined;
  /** Set by the handler when there is one: for the access line. */
  prediction: Prediction | undefined;
  /** Rule that chose the model, set by the handler: for the access line. */
  rule: string | undefined;
  /** Arm of the service's experiment, set by the handler as soon as it is known: error replies have it too. */
  variant: string | undefined;
}

/** What rules may look at, besides the body. */
export interface RoutableRequest {
  readonly method: string;
  /** Without the query. */
  readonly pathText: string;
  /** Name of the API key that was shown; undefined when none was needed. */
  readonly caller: string | undefined;
  /** @param name any header, in lower case. */
  anyHeader(name: string): string | undefined;
  /** The first value of a parameter, decoded. */
  query(name: string): string | undefined;
}

/** A request whose headers can be asked for. */
export interface WithHeaders {
  /** @returns the value without space around it; undefined when the request has no such header. */
  header(name: HeaderName): string | undefined;
}

/**
 * A request of a hot route whose body has been read, whichever way its bytes came: through Fastify or the fast
 * lane. Handlers take this and nothing of either, so that there is one handler and not two.
 */
export interface Exchange extends RequestFacts, WithHeaders, RoutableRequest {
  /** Service named in the path; undefined is the default one. */
  readonly service: string | undefined;
  /** Version as it stands in the path, not checked. */
  readonly version: string | undefined;
  /** As it came: encoded when `content-encoding` says so; empty when there is none. */
  readonly body: Uint8Array;
  /** `server.bodyMax`: also of a body when it is decoded. */
  readonly bodyBytesMax: number;
  /** Cancelled when the client has gone. */
  readonly cancellation: Cancellation | undefined;
  /** Set before the handler runs; undefined where nothing is traced. */
  trace: RequestTrace | undefined;
}

/** What goes back. The sender adds `x-request-id`, `x-prediction-id`, `x-model-variant`, `content-length`, `date` and `connection`. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly AnswerHeader[];
  readonly body: string | Uint8Array;
}

export type AnswerHeader = readonly [name: string, value: string];

/** Answers one request. What it throws is printed as an error of the table. */
export type ExchangeHandler = (exchange: Exchange) => Promise<Answer>;
