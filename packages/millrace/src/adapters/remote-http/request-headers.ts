import { validateHeaderName, validateHeaderValue } from "node:http";
import { outgoingContext } from "../../core/graph/outgoing-context.ts";
import type { StepContext } from "../../core/graph/step.ts";
import { formatTraceParent } from "../../core/trace-context/trace-context.ts";
import { MILLRACE_VERSION } from "../../version.ts";
import { cannotLoad } from "./remote-address.ts";

/** Headers that belong to the connection or to the form of the body: the file cannot set them. */
const RESERVED = new Set([
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "expect",
  "inference-header-content-length",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const PRINTABLE = /^[\x20-\x7e]{1,512}$/;

/**
 * Headers of every question to a server, those of the file among them, in lower case.
 * @throws MODEL_LOAD_FAILED for one that cannot be set; the value, which may be secret, is not in the message.
 */
export function fixedHeaders(
  remote: string,
  configured: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {
    accept: "application/json",
    "user-agent": `millrace/${MILLRACE_VERSION}`,
  };
  for (const [name, value] of Object.entries(configured)) {
    const lower = name.toLowerCase();
    if (RESERVED.has(lower)) throw cannotLoad(remote, `the header "${lower}" cannot be set`);
    try {
      validateHeaderName(lower);
      validateHeaderValue(lower, value);
    } catch {
      throw cannotLoad(remote, `the header ${JSON.stringify(lower)} cannot be sent as it is`);
    }
    headers[lower] = value;
  }
  // The reply's bytes are counted as they come: what is small on the wire must not be large in memory.
  return { ...headers, "accept-encoding": "identity" };
}

/** Headers that pass on whose request and whose trace it is, and how much time is left for it. */
export function requestHeaders(context: StepContext, timeoutMs: number): Record<string, string> {
  const { request } = context;
  const headers: Record<string, string> = {
    "x-request-timeout": `${Math.max(1, Math.floor(timeoutMs))}ms`,
  };
  const requestId = request.requestId ?? request.predictionId;
  if (PRINTABLE.test(requestId)) headers["x-request-id"] = requestId;
  if (request.isShadow === true) headers["x-shadow"] = "true";
  const trace = outgoingContext(context);
  if (trace === undefined) return headers;
  headers["traceparent"] = formatTraceParent(trace);
  if (trace.state !== undefined) headers["tracestate"] = trace.state;
  return headers;
}
