import type { FastifyReply, FastifyRequest } from "fastify";
import { ERRORS, MillraceError, type ErrorCode } from "../../core/errors.ts";
import type { Logger } from "../../ports/logger.ts";
import { sendsJson } from "./prediction-headers.ts";
import "./request-state.ts";

interface ProblemReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/**
 * Prints an error in the form its route promises: `{"error": …}` on the protocol routes, RFC 9457 elsewhere.
 */
function problemReply(error: MillraceError, request: FastifyRequest): ProblemReply {
  const { status, title } = ERRORS[error.code];
  if (isProtocolRoute(request.url)) {
    return {
      status,
      contentType: "application/json", // exactly this, without a charset: KServe's client compares it
      body: JSON.stringify({ error: error.message }),
    };
  }
  const body = {
    type: "about:blank",
    title,
    status,
    code: error.code,
    detail: error.message,
    reason: error.reason,
    errors: error.problems.map(({ location, message, type }) => ({ location, message, type })),
    request_id: request.id,
    prediction_id: request.predictionId,
  };
  return { status, contentType: "application/problem+json", body: JSON.stringify(body) };
}

function isProtocolRoute(url: string): boolean {
  return /^\/v[12](?:[/?]|$)/.test(url);
}

export type ProblemSender = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/** @returns what answers with an error of the table, or with INTERNAL for anything else. */
export function problemSender(log: Logger): ProblemSender {
  return (error, request, reply) => {
    const known = toMillraceError(error, request);
    request.errorCode = known.code;
    if (ERRORS[known.code].status === 500) {
      const fields = {
        err: known.cause ?? known,
        code: known.code,
        requestId: request.id,
        predictionId: request.predictionId,
      };
      log.error(fields, known.message);
    }
    const { status, contentType, body } = problemReply(known, request);
    sendsJson(reply, contentType);
    void reply.code(status).header("x-error-code", known.code);
    if (known.code === "UNAUTHENTICATED") void reply.header("www-authenticate", "Bearer");
    if (known.retryAfterSeconds !== undefined) {
      void reply.header("retry-after", known.retryAfterSeconds);
    }
    void reply.send(body);
  };
}

/** Fastify's own refusals, in our words. */
const FASTIFY_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    "UNSUPPORTED_MEDIA_TYPE",
    "Cannot read the body: its media type",
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    "INVALID_HEADER",
    "Cannot read the body: content-length is not its length",
  ],
  FST_ERR_BAD_URL: ["ROUTE_NOT_FOUND", "Cannot find the route: the path is not a valid URL"],
  FST_ERR_MAX_PARAM_LENGTH: [
    "ROUTE_NOT_FOUND",
    "Cannot find the route: a part of the path is too long",
  ],
};

function toMillraceError(error: unknown, request: FastifyRequest): MillraceError {
  if (error instanceof MillraceError) return error;
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const limit = request.routeOptions.bodyLimit;
    const message = `the body is larger than ${limit} bytes, the limit of server.bodyMax`;
    return new MillraceError("BODY_TOO_LARGE", `Cannot read the body: ${message}`, {
      problems: [{ location: ["body"], message, type: "size" }],
    });
  }
  const known = typeof code === "string" ? FASTIFY_CODES[code] : undefined;
  if (known !== undefined) return new MillraceError(known[0], known[1]);
  if (request.raw.readableAborted) {
    return new MillraceError("CANCELLED", "Cannot read the body: the client has gone");
  }
  return new MillraceError("INTERNAL", "Cannot answer: internal error", { cause: error });
}
