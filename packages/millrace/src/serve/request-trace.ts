import type { TraceContext } from "../core/trace-context/trace-context.ts";
import type { PredictionRecord } from "./recent-predictions.ts";

/** A request on its way that is part of a trace. */
export interface RequestTrace {
  /** Of the request itself: whatever works for it is part of it. */
  readonly context: TraceContext;
  /** Span of whoever sent the request; undefined when the trace begins here. */
  readonly parentSpanId: string | undefined;
  /** Which one the request is for; set as soon as it is known that there is one of that name. */
  service: string | undefined;
  /** What was decided and how long it took; set by the data plane, and undefined where the request did not get so far. */
  record: PredictionRecord | undefined;
}
