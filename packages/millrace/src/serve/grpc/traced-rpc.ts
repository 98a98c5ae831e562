import { ERRORS, type MillraceError } from "../../core/errors.ts";
import { parseTraceContext, type TraceContext } from "../../core/trace-context/trace-context.ts";
import type { DataPlane } from "../data-plane.ts";
import type { RequestTrace } from "../request-trace.ts";
import type { RequestTraces } from "../request-traces.ts";
import type { RpcCall } from "./rpc.ts";
import { toMillraceError } from "./status.ts";

/** What a message is known by; in a stream every message is a request. */
export interface TracedMessage {
  readonly call: RpcCall;
  readonly predictionId: string;
  readonly receivedMs: number;
}

/** Where a message belongs: both are undefined where it is a part of no trace. */
export interface MessageTrace {
  readonly traceContext: TraceContext | undefined;
  /** Undefined where this process traces nothing. */
  readonly requestTrace: RequestTrace | undefined;
}

/** Predicts with a span around it, where the file asks for traces. */
export function tracedRpc<T>(
  plane: DataPlane,
  message: TracedMessage,
  predict: (trace: MessageTrace) => Promise<T>,
): Promise<T> {
  const { traces } = plane;
  const { metadata } = message.call;
  const parent = textOf(metadata["traceparent"]);
  const state = textOf(metadata["tracestate"]);
  if (traces === undefined) {
    return predict({ traceContext: parseTraceContext(parent, state), requestTrace: undefined });
  }
  const requestTrace = traces.begin(parent, state);
  const trace = { traceContext: requestTrace.context, requestTrace };
  if (!requestTrace.context.isRecorded) return predict(trace);
  return withSpan(
    () => predict(trace),
    (error) => endTrace(traces, requestTrace, message, error),
  );
}

async function withSpan<T>(
  predict: () => Promise<T>,
  end: (error?: MillraceError) => void,
): Promise<T> {
  try {
    const answer = await predict();
    end();
    return answer;
  } catch (error) {
    end(toMillraceError(error));
    throw error;
  }
}

function endTrace(
  traces: RequestTraces,
  trace: RequestTrace,
  { call, predictionId, receivedMs }: TracedMessage,
  error: MillraceError | undefined,
): void {
  const method = call.path.slice(1);
  traces.end(trace, {
    name: method,
    receivedMs,
    predictionId,
    attributes: {
      "rpc.system.name": "grpc",
      "rpc.method": method,
      "rpc.status_code": error === undefined ? "OK" : ERRORS[error.code].grpc,
    },
    error,
  });
}

/** Lines of the same name arrive as a list, or joined. */
function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(",") : value;
}
