import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { ERRORS, type ErrorCode } from "../../core/errors.ts";
import { STATUS_CODES } from "./node-http.ts";

/** What Node's parser refuses, in our words. */
const PARSER_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: [
    "HEADERS_TOO_LARGE",
    "Cannot read the request: its headers are larger than 16 KiB",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    "REQUEST_TIMEOUT",
    "Cannot read the request: it did not arrive in time",
  ],
};

const MALFORMED = ["MALFORMED_REQUEST", "Cannot read the request: it is not HTTP/1.1"] as const;

/**
 * Answers a connection that carries no readable request. There is no route, so the body has both forms of an
 * error: a problem with a member `error`.
 */
export function answerClientError(error: Error, socket: Duplex): void {
  if ((error as NodeJS.ErrnoException).code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const parserCode = (error as NodeJS.ErrnoException).code ?? "";
  const [code, detail] = PARSER_CODES[parserCode] ?? MALFORMED;
  const { status, title } = ERRORS[code];
  const id = randomUUID();
  const problem = { type: "about:blank", title, status, code, detail, errors: [], request_id: id };
  const body = JSON.stringify({ ...problem, error: detail });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? title}\r\n` +
      `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `x-error-code: ${code}\r\nx-request-id: ${id}\r\nconnection: close\r\n\r\n${body}`,
  );
}
