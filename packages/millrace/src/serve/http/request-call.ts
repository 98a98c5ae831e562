import { MillraceError } from "../../core/errors.ts";
import { parseTraceContext, type TraceContext } from "../../core/trace-context/trace-context.ts";
import type { DataPlane } from "../data-plane.ts";
import { PRIORITY_DEFAULT, type Call } from "../prediction.ts";
import type { Exchange, HeaderName } from "./exchange.ts";

interface TimeoutHeader {
  readonly name: HeaderName;
  readonly pattern: RegExp;
  readonly unitsMs: Readonly<Record<string, number>>;
  readonly expected: string;
}

/** Headers that carry a deadline: ours, and gRPC's, which proxies pass on over HTTP too. */
const TIMEOUT_HEADERS: readonly TimeoutHeader[] = [
  {
    name: "x-request-timeout",
    pattern: /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/,
    unitsMs: { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 },
    expected: "a duration above zero with its unit: 250ms, 2s",
  },
  {
    name: "grpc-timeout",
    pattern: /^(\d{1,8})([HMSmun])$/,
    unitsMs: { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 },
    expected: "digits and a unit of gRPC above zero: 250m, 2S",
  },
];

/**
 * The deadline, the cancellation and the id of a prediction. The id is in the reply from here on, whatever
 * becomes of the request.
 * @param endpoint as in `Call`. @param isInputOwned as in `Call`.
 * @throws INVALID_HEADER when `x-request-timeout` is not a duration, NOT_IMPLEMENTED for `Prefer: respond-async`.
 */
export function callOf(
  plane: DataPlane,
  exchange: Exchange,
  endpoint: string,
  isInputOwned = false,
): Call {
  refuseAsync(exchange);
  const predictionId = plane.newPredictionId();
  const { trace } = exchange;
  exchange.predictionId = predictionId;
  return {
    predictionId,
    endpoint,
    requestId: exchange.requestId,
    attributes: undefined,
    receivedMs: exchange.receivedMs,
    priority: PRIORITY_DEFAULT,
    timeoutMs: timeoutOf(exchange),
    cancellation: exchange.cancellation,
    bodyBytes: exchange.body.length,
    isInputOwned,
    traceContext: trace === undefined ? sentContext(exchange) : trace.context,
    requestTrace: trace,
  };
}

/** What the client sent is passed on to other servers, also where this one traces nothing. */
function sentContext(exchange: Exchange): TraceContext | undefined {
  return parseTraceContext(exchange.header("traceparent"), exchange.header("tracestate"));
}

/** A prediction that takes long as a job of its own comes with a later version: say so, never block instead. */
function refuseAsync(exchange: Exchange): void {
  if (exchange.header("prefer")?.includes("respond-async") !== true) return;
  throw new MillraceError(
    "NOT_IMPLEMENTED",
    'Cannot answer "Prefer: respond-async": this version predicts only while the client waits',
  );
}

/** @returns the smaller of the deadlines that the request carries. */
function timeoutOf(exchange: Exchange): number | undefined {
  let smallestMs: number | undefined;
  for (const header of TIMEOUT_HEADERS) {
    const text = exchange.header(header.name);
    if (text === undefined) continue;
    const timeoutMs = parseTimeout(text, header);
    smallestMs = Math.min(smallestMs ?? Infinity, timeoutMs);
  }
  return smallestMs;
}

function parseTimeout(text: string, { name, pattern, unitsMs, expected }: TimeoutHeader): number {
  const [, digits, unit = ""] = pattern.exec(text) ?? [];
  const timeoutMs = Number(digits) * (unitsMs[unit] ?? 0);
  if (timeoutMs > 0) return timeoutMs;
  const message = `found ${JSON.stringify(text)}, expected ${expected}`;
  throw new MillraceError("INVALID_HEADER", `Cannot read header ${name}: ${message}`, {
    problems: [{ location: ["header", name], message, type: "duration" }],
  });
}
