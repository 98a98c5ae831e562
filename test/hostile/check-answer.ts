import type { HttpRequest } from "./http-case.ts";
import type { HttpResponse } from "./response-reader.ts";

/** What no answer may show of the inside. */
const INTERNALS = /node_modules|\.ts:\d|\bat [\w.<>]+ \(|\/packages\/|millrace-e2e/;

/** Statuses of the error table, and of a request that went well. */
const STATUSES = new Set([
  200, 202, 204, 400, 401, 403, 404, 405, 408, 409, 413, 415, 417, 429, 431, 499, 501, 503, 504,
  505,
]);

/** @returns what is wrong with an answer to a hostile request, undefined when it keeps all promises. */
export function wrongAnswer(request: HttpRequest, response: HttpResponse): string | undefined {
  const { status, headers, body } = response;
  if (!STATUSES.has(status)) return `status ${status}: ${body.slice(0, 300)}`;
  if (status < 400 || request.method === "HEAD") return undefined;
  if (status === 503 && isNotReady(body)) return undefined;
  if (INTERNALS.test(body)) return `internals: ${body.slice(0, 300)}`;
  if (!headers.has("x-error-code")) return `${status} without x-error-code: ${body.slice(0, 300)}`;
  if (!headers.has("x-request-id")) return `${status} without x-request-id`;
  if (status === 503 && !headers.has("retry-after")) return "503 without retry-after";
  return wrongForm(request, response);
}

/** The answer of the health calls, which is no error. */
function isNotReady(body: string): boolean {
  return parse(body)?.["ready"] === false;
}

function wrongForm(
  request: HttpRequest,
  { status, headers, body }: HttpResponse,
): string | undefined {
  const type = headers.get("content-type");
  const json = parse(body);
  const isProtocolError = type === "application/json" && typeof json?.["error"] === "string";
  const isProblem =
    type === "application/problem+json" &&
    json?.["status"] === status &&
    json["code"] === headers.get("x-error-code") &&
    typeof json["detail"] === "string" &&
    Array.isArray(json["errors"]);
  if (!isProtocolError && !isProblem)
    return `${status} ${type ?? "without a type"}: ${body.slice(0, 300)}`;
  // Bytes that the HTTP parser refuses have no route, and no form of it either.
  if (!request.isFramed || headers.get("x-error-code") === "MALFORMED_REQUEST") return undefined;
  if (status === 431 || status === 408) return undefined;
  const isProtocol = /^\/v[12](?:[/?]|$)/.test(request.path);
  if (isProtocol !== isProtocolError) return `the other form of an error at ${request.path}`;
  return undefined;
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
