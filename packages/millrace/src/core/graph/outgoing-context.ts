import { childSpanId } from "../trace-context/child-span-id.ts";
import type { TraceContext } from "../trace-context/trace-context.ts";
import type { StepContext } from "./step.ts";

/**
 * The trace context that a step sends along to whoever works for it: its own span is theirs to be a part of, or, where
 * this process makes no spans, that of whoever sent the request. Undefined when the request has none.
 */
export function outgoingContext({ request, trace }: StepContext): TraceContext | undefined {
  const { traceContext } = request;
  if (traceContext?.isRecorded !== true) return traceContext;
  return { ...traceContext, spanId: childSpanId(traceContext.spanId, trace.ordinal) };
}
