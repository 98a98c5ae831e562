/** One place in a request that is wrong: where, what was found and what is allowed. */
export interface Problem {
  /** Path into the request, outermost first: `["body", "data", 0, 2]`. */
  readonly location: readonly (string | number)[];
  readonly message: string;
  /** Stable, machine-readable kind: `missing`, `type`, `shape`, `range`, … */
  readonly type: string;
}

/** Codes this client gives by itself; all others come from the server, or are `HTTP_<status>`. */
export type ClientCode =
  /** Refused before sending: a tensor without a JSON form, or whose data and shape differ. */
  | "INVALID_TENSOR"
  /** Refused before sending: a body without a JSON form. */
  | "INVALID_BODY"
  /** No whole reply within `timeoutMs`; a server's own 504 has the same code and a `status`. */
  | "DEADLINE_EXCEEDED"
  /** Refused, reset or unreachable; with a `status` when the connection broke inside a reply. */
  | "CONNECTION_FAILED"
  /** A reply came, and is not what the protocol says. */
  | "INVALID_REPLY";

export interface MillraceClientErrorFields {
  readonly status?: number | undefined;
  readonly detail?: string | undefined;
  readonly reason?: string | undefined;
  readonly problems?: readonly Problem[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly requestId?: string | undefined;
  readonly predictionId?: string | undefined;
  readonly cause?: unknown;
}

/** Why a call has no result. The caller's own abort is not wrapped: its reason is thrown as it is. */
export class MillraceClientError extends Error {
  /** A server's code (`OVERLOADED`, `MODEL_NOT_FOUND`, …), `HTTP_<status>` when it gave none, or a {@link ClientCode}. */
  readonly code: string;
  /** HTTP status; undefined when no response came. */
  readonly status: number | undefined;
  /** The server's explanation, or the client's. */
  readonly detail: string;
  /** Machine-readable reason inside one code: for `OVERLOADED` `queue`, `rate`, `shutdown`, … */
  readonly reason: string | undefined;
  /** What is wrong in the request; empty when nobody said. */
  readonly problems: readonly Problem[];
  /** Seconds after which the server thinks a retry makes sense. */
  readonly retryAfterSeconds: number | undefined;
  /** The server's `x-request-id`, to find the request in its log. */
  readonly requestId: string | undefined;
  /** The server's `x-prediction-id`, when the request got that far. */
  readonly predictionId: string | undefined;

  constructor(code: string, message: string, fields: MillraceClientErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.name = "MillraceClientError";
    this.code = code;
    this.status = fields.status;
    this.detail = fields.detail ?? message;
    this.reason = fields.reason;
    this.problems = fields.problems ?? [];
    this.retryAfterSeconds = fields.retryAfterSeconds;
    this.requestId = fields.requestId;
    this.predictionId = fields.predictionId;
  }
}
