import type { StepTrace } from "../core/graph/step-trace.ts";
import type { TraceContext } from "../core/trace-context/trace-context.ts";

export type SpanAttribute = string | number | boolean;
export type SpanAttributes = Readonly<Record<string, SpanAttribute>>;

/** A stretch of a request that nothing else is known of than its length. */
export interface SpanPart {
  readonly name: string;
  /** Since the request came. */
  readonly startedMs: number;
  readonly tookMs: number;
}

/** A request that was answered, as its spans are made from it: one for all of it, and others inside that one. */
export interface TracedRequest {
  /** Its `spanId` is that of the request's span. */
  readonly context: TraceContext;
  /** Span of whoever sent the request; undefined when the trace begins here. */
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** When it came, milliseconds since 1970, with their fraction. */
  readonly receivedMs: number;
  readonly tookMs: number;
  readonly attributes: SpanAttributes;
  /** What we did wrong; undefined when it went well, or the client did it wrong. */
  readonly failure: string | undefined;
  /** At most a few. The id of each is that of its place: `childSpanId(context.spanId, index)`. */
  readonly parts: readonly SpanPart[];
  /** Of a graph, in place of `parts`. The id of each is that of its ordinal. */
  readonly steps: StepTrace | undefined;
}

/** Spans since the start. */
export interface TracerCounts {
  /** Taken by the collector. */
  readonly exported: number;
  /** Given up, because too many were waiting or the collector did not take them. */
  readonly dropped: number;
  /** Batches that the collector did not take. */
  readonly exportErrors: number;
}

/** Sends spans to whoever collects them. */
export interface Tracer {
  readonly counts: TracerCounts;
  /** Never throws, never waits: what is too much is dropped and counted. */
  record(request: TracedRequest): void;
  /** Sends what waits, as far as `waitMs` allows; the rest is dropped. */
  close(waitMs: number): Promise<void>;
}
