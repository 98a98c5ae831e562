import type { FastifyRequest } from "fastify";
import { MillraceError } from "../../core/errors.ts";

/**
 * Media types whose body is read as JSON. `curl -d` says it sends a form, and some clients say nothing at all
 * or "octet-stream": the body is judged, not the label. The rest would be a misunderstanding.
 */
const JSON_MEDIA_TYPES = new Set([
  "",
  "application/json",
  "application/x-www-form-urlencoded",
  "application/octet-stream",
  "text/plain",
]);

/** @returns `type/subtype` in lower case, without parameters; empty when the request names none. */
export function mediaTypeOf(request: FastifyRequest): string {
  const header = request.headers["content-type"] ?? "";
  const end = header.indexOf(";");
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
}

/**
 * The bytes of a JSON body.
 * @throws UNSUPPORTED_MEDIA_TYPE for another media type or a content encoding.
 */
export function jsonBody(request: FastifyRequest): Uint8Array {
  const mediaType = mediaTypeOf(request);
  if (!JSON_MEDIA_TYPES.has(mediaType) && !/^application\/[\w.-]+\+json$/.test(mediaType)) {
    throw unsupported("content-type", `"${mediaType}", expected application/json`);
  }
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw unsupported("content-encoding", `"${encoding}", expected none`);
  }
  return bodyBytes(request);
}

/** The bytes of any body; none for a request without one. */
export function bodyBytes(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
}

function unsupported(header: string, value: string): MillraceError {
  const message = `${header} is ${value}`;
  return new MillraceError("UNSUPPORTED_MEDIA_TYPE", `Cannot read the body: ${message}`, {
    problems: [{ location: ["header", header], message, type: "media_type" }],
  });
}
