import { ERRORS, MillraceError } from "../../core/errors.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Answer, AnswerHeader } from "./exchange.ts";

/** What a request that failed is known by. */
export interface FailedRequest {
  /** Undefined where one answer serves many requests. */
  readonly requestId: string | undefined;
  readonly predictionId: string | undefined;
  /** Path, with or without its query: it decides the form of the body. */
  readonly url: string;
}

/** An error of the table, or INTERNAL for anything else. */
export function knownError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  return new MillraceError("INTERNAL", "Cannot answer: internal error", { cause: error });
}

/**
 * Prints an error in the form its route promises: `{"error": …}` on the protocol routes, RFC 9457 elsewhere.
 * What is our fault also goes to the log, with its stack.
 */
export function problemAnswer(error: MillraceError, request: FailedRequest, log: Logger): Answer {
  const { status } = ERRORS[error.code];
  if (status === 500) logFailure(error, request, log);
  const isProtocol = isProtocolRoute(request.url);
  const headers: AnswerHeader[] = [
    // Exactly these, without a charset: KServe's client compares the first one.
    ["content-type", isProtocol ? "application/json" : "application/problem+json"],
    ["x-error-code", error.code],
  ];
  if (isAboutEncoding(error)) headers.push(["accept-encoding", "gzip, deflate"]);
  if (error.code === "UNAUTHENTICATED") headers.push(["www-authenticate", "Bearer"]);
  // Proxies in front tell it from a 503 of a server that is broken, which they would count against it.
  if (error.code === "OVERLOADED") headers.push(["x-envoy-overloaded", "true"]);
  if (error.retryAfterSeconds !== undefined) {
    headers.push(["retry-after", String(error.retryAfterSeconds)]);
  }
  const body = isProtocol ? { error: error.message } : problemDetails(error, request);
  return { status, headers, body: JSON.stringify(body) };
}

/** A client that sent an unknown coding is told the known ones (RFC 9110, section 12.5.3). */
function isAboutEncoding(error: MillraceError): boolean {
  const [problem] = error.problems;
  return error.code === "UNSUPPORTED_MEDIA_TYPE" && problem?.location[1] === "content-encoding";
}

function isProtocolRoute(url: string): boolean {
  return /^\/v[12](?:[/?]|$)/.test(url);
}

function problemDetails(error: MillraceError, request: FailedRequest): object {
  const { status, title } = ERRORS[error.code];
  return {
    type: "about:blank",
    title,
    status,
    code: error.code,
    detail: error.message,
    reason: error.reason,
    errors: error.problems.map(({ location, message, type }) => ({ location, message, type })),
    request_id: request.requestId,
    prediction_id: request.predictionId,
  };
}

function logFailure(error: MillraceError, request: FailedRequest, log: Logger): void {
  const { requestId, predictionId } = request;
  const fields = { err: error.cause ?? error, code: error.code, requestId, predictionId };
  log.error(fields, error.message);
}
