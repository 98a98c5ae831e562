import { MillraceClientError } from "./client-error.ts";
import type { Problem } from "./client-error.ts";
import { isJsonObject, readJson } from "./json.ts";
import type { JsonValue } from "./json.ts";

/** The longest piece of an unknown body (a proxy's HTML page) that goes into `detail`, in characters. */
const DETAIL_LENGTH_MAX = 200;

/**
 * Reads `application/problem+json` and `{"error": …}` bodies, and makes do with any other.
 * @param action what failed: `POST /services/iris/predict`.
 */
export function errorFromReply(
  action: string,
  { status, headers, text }: { status: number; headers: Headers; text: string },
): MillraceClientError {
  const body = readObject(text);
  const code = asText(body["code"]) ?? headers.get("x-error-code") ?? `HTTP_${status}`;
  const detail =
    asText(body["detail"]) ??
    asText(body["error"]) ??
    asText(body["title"]) ??
    (text.slice(0, DETAIL_LENGTH_MAX).trim() || "no explanation");
  return new MillraceClientError(code, `Cannot ${action}: ${detail} (${status} ${code})`, {
    status,
    detail,
    reason: asText(body["reason"]),
    problems: readProblems(body["errors"]),
    retryAfterSeconds: readRetryAfter(headers),
    requestId: headers.get("x-request-id") ?? undefined,
    predictionId: headers.get("x-prediction-id") ?? undefined,
  });
}

function readObject(text: string): { readonly [member: string]: JsonValue } {
  try {
    const body = readJson(text);
    return isJsonObject(body) ? body : {};
  } catch {
    return {}; // not JSON: the status and the text itself still say something
  }
}

function readProblems(errors: JsonValue | undefined): readonly Problem[] {
  if (!Array.isArray(errors)) return [];
  return (errors as readonly JsonValue[]).filter(isJsonObject).map((error) => ({
    location: Array.isArray(error["location"])
      ? (error["location"] as readonly JsonValue[]).filter(isLocationPart)
      : [],
    message: asText(error["message"]) ?? "",
    type: asText(error["type"]) ?? "",
  }));
}

/** Seconds, or a date: that is read against the reply's own `Date`, so a wrong local clock does no harm. */
function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  const seconds = (Date.parse(value) - Date.parse(headers.get("date") ?? "")) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

function isLocationPart(part: JsonValue): part is string | number {
  return typeof part === "string" || typeof part === "number";
}

function asText(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
