import { MillraceError } from "../../core/errors.ts";
import { readBody } from "./content-encoding.ts";
import type { Exchange, WithHeaders } from "./exchange.ts";

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
export function mediaTypeOf(request: WithHeaders): string {
  const header = request.header("content-type") ?? "";
  const end = header.indexOf(";");
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
}

/** Is a body of this type read as JSON? */
export function isJsonMediaType(mediaType: string): boolean {
  return JSON_MEDIA_TYPES.has(mediaType) || /^application\/[\w.-]+\+json$/.test(mediaType);
}

/**
 * The bytes of a JSON body.
 * @returns a promise only of a body that has to be decoded first.
 * @throws UNSUPPORTED_MEDIA_TYPE for another media type, and what `readBody` throws.
 */
export function jsonBody(exchange: Exchange): Uint8Array | Promise<Uint8Array> {
  checkJsonMediaType(exchange);
  return readBody(exchange);
}

/** @throws UNSUPPORTED_MEDIA_TYPE */
export function checkJsonMediaType(request: WithHeaders): void {
  // The common case first, without a string of its own.
  if (request.header("content-type") === "application/json") return;
  const mediaType = mediaTypeOf(request);
  if (isJsonMediaType(mediaType)) return;
  const message = `content-type is "${mediaType}", expected application/json`;
  throw new MillraceError("UNSUPPORTED_MEDIA_TYPE", `Cannot read the body: ${message}`, {
    problems: [{ location: ["header", "content-type"], message, type: "media_type" }],
  });
}
