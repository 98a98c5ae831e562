import { STATUS_CODES } from "node:http";

/** What a status says of a request: "" where it went well, 200 to 399; else `503 Service Unavailable`. */
export function statusText(code: number): string {
  if (code >= 200 && code < 400) return "";
  const reason = STATUS_CODES[code];
  return reason === undefined ? String(code) : `${code} ${reason}`;
}

/** Of a request that was given up: the same text for all protocols, so that a report counts them as one error. */
export function timeoutText(timeoutMs: number): string {
  return `no answer within ${timeoutMs % 1000 === 0 ? `${timeoutMs / 1000}s` : `${timeoutMs}ms`}`;
}
