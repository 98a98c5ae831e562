import type { FastifyReply, FastifyRequest } from "fastify";
import { MillraceError, type ErrorCode } from "../../core/errors.ts";
import type { Logger } from "../../ports/logger.ts";
import { sendAnswer } from "./fastify-exchange.ts";
import { knownError, problemAnswer } from "./problem.ts";
import "./request-state.ts";

export type ProblemSender = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/** @returns what answers a request of Fastify's with an error of the table, or with INTERNAL for anything else. */
export function problemSender(log: Logger): ProblemSender {
  return (error, request, reply) => {
    const known = fastifyError(error, request) ?? knownError(error);
    request.errorCode = known.code;
    const { id: requestId, predictionId, url } = request;
    sendAnswer(problemAnswer(known, { requestId, predictionId, url }, log), request, reply);
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

function fastifyError(error: unknown, request: FastifyRequest): MillraceError | undefined {
  if (error instanceof MillraceError) return error;
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const limit = request.routeOptions.bodyLimit;
    const whose =
      request.routeOptions.config.hasOwnBodyLimit === true ? "this route" : "server.bodyMax";
    const message = `the body is larger than ${limit} bytes, the limit of ${whose}`;
    return new MillraceError("BODY_TOO_LARGE", `Cannot read the body: ${message}`, {
      problems: [{ location: ["body"], message, type: "size" }],
    });
  }
  const known = typeof code === "string" ? FASTIFY_CODES[code] : undefined;
  if (known !== undefined) return new MillraceError(known[0], known[1]);
  if (request.raw.readableAborted) {
    return new MillraceError("CANCELLED", "Cannot read the body: the client has gone");
  }
  return undefined;
}
