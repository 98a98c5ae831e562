import { validateHeaderName, validateHeaderValue } from "node:http";
import { LoadInputError } from "../load-input-error.ts";
import type { LoadTarget } from "../payloads/load-target.ts";
import { statusText } from "./ending-texts.ts";
import type { Http2Dialect } from "./http2-dialect.ts";

/** Requests as their targets say them. */
export const PLAIN_HTTP2: Http2Dialect = {
  prepare: (target) => ({ headers: plainHeaders(target), dataOf: (body) => body }),
  outcomeOf: ({ status }) => ({ code: status, error: statusText(status) }),
};

/** Of HTTP/1 connections: HTTP/2 forbids them, or says the same in its frames. */
const CONNECTION_HEADERS = new Set([
  "connection",
  "content-length",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Methods but CONNECT, which is for proxies and has no path. */
const TOKEN = /^(?!CONNECT$)[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Method, address and headers of a target as HTTP/2 writes them: lower case, `host` as `:authority`, without
 * those of HTTP/1 connections; `user-agent: millrace` unless the target has another one.
 * @param path in place of the URL's.
 * @throws LoadInputError
 */
export function plainHeaders(target: LoadTarget, path?: string): string[] {
  const url = new URL(target.url);
  if (!TOKEN.test(target.method)) {
    throw refused(target, `its method is ${JSON.stringify(target.method)}`);
  }
  let authority = url.host;
  const headers: string[] = [];
  let hasAgent = false;
  for (const [name, value] of target.headers) {
    checkHeader(target, name, value);
    const lowered = name.toLowerCase();
    hasAgent ||= lowered === "user-agent";
    if (lowered === "host") authority = value;
    else if (!CONNECTION_HEADERS.has(lowered)) headers.push(lowered, value);
  }
  if (!hasAgent) headers.push("user-agent", "millrace");
  const scheme = url.protocol.slice(0, -1);
  const to = [
    ":scheme",
    scheme,
    ":authority",
    authority,
    ":path",
    path ?? url.pathname + url.search,
  ];
  return [":method", target.method, ...to, ...headers];
}

function checkHeader(target: LoadTarget, name: string, value: string): void {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch (error) {
    throw refused(target, (error as Error).message);
  }
}

function refused({ method, url }: LoadTarget, why: string): LoadInputError {
  return new LoadInputError(`Cannot send ${method} ${url} over HTTP/2: ${why}`);
}
