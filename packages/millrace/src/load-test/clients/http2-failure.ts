import { constants } from "node:http2";
import { connectFailure } from "./connect-failure.ts";

/** Names of HTTP/2 error codes (RFC 9113, section 7), by number. */
const NAMES: ReadonlyMap<number, string> = new Map(
  [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
  ].map((name, code) => [code, name] as const),
);

function nameOf(code: number): string {
  return NAMES.get(code) ?? String(code);
}

/** Why a stream ended without an answer, where its connection still stands. */
export function resetText(code: number): string {
  if (code === constants.NGHTTP2_NO_ERROR) return "stream ended without an answer";
  return `stream reset by the server: ${nameOf(code)}`;
}

/** Why a connection was ended with GOAWAY. */
export function goawayText(code: number): string {
  return `connection ended by the server: GOAWAY ${nameOf(code)}`;
}

/** What broke a connection, in the system's words; those of Node's HTTP/2 become shorter. */
export function connectionText(error: NodeJS.ErrnoException): string {
  const { code = "", cause } = error;
  // A request that was not yet sent is told why in another error.
  if (code === "ERR_HTTP2_STREAM_CANCEL" && cause instanceof Error) return connectionText(cause);
  if (code === "ERR_HTTP2_ERROR" || code.startsWith("ERR_HTTP2_SESSION")) {
    return `the server does not speak HTTP/2: ${error.message}`;
  }
  return connectFailure(error) || code;
}
