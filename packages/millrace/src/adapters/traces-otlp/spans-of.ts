import {
  createTraceState,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Attributes,
  type HrTime,
  type SpanContext,
  type SpanStatus,
  type TraceState,
} from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { StepTrace } from "../../core/graph/step-trace.ts";
import { childSpanId } from "../../core/trace-context/child-span-id.ts";
import type { TracedRequest } from "../../ports/tracer.ts";

/** What all spans of a process say of where they come from. */
export interface SpanSource {
  readonly resource: Resource;
  readonly scope: { readonly name: string; readonly version: string };
}

/** Spans that `spansOf` makes of a request, counted without making them. */
export function spanCountOf({ parts, steps }: TracedRequest): number {
  return 1 + parts.length + (steps === undefined ? 0 : stepCountOf(steps));
}

function stepCountOf(step: StepTrace): number {
  let count = 1;
  for (const child of step.children) count += stepCountOf(child);
  return count;
}

/** The span of a request, and then those inside it. */
export function spansOf(request: TracedRequest, source: SpanSource): ReadableSpan[] {
  const { context, parentSpanId, receivedMs, tookMs, failure, parts, steps } = request;
  const made = new RequestSpans(request, source);
  const error = { code: SpanStatusCode.ERROR, ...(failure !== undefined && { message: failure }) };
  const own = made.add({
    spanId: context.spanId,
    parent: parentSpanId === undefined ? undefined : made.contextOf(parentSpanId, true),
    name: request.name,
    kind: SpanKind.SERVER,
    startMs: receivedMs,
    tookMs,
    attributes: request.attributes,
    status: failure === undefined ? UNSET : error,
  });
  for (const [index, part] of parts.entries()) {
    made.add({
      spanId: childSpanId(context.spanId, index),
      parent: own,
      name: part.name,
      kind: SpanKind.INTERNAL,
      startMs: receivedMs + part.startedMs,
      tookMs: part.tookMs,
      attributes: NO_ATTRIBUTES,
      status: UNSET,
    });
  }
  if (steps !== undefined) made.addStep(steps, own);
  return made.spans;
}

const UNSET: SpanStatus = { code: SpanStatusCode.UNSET };
const NO_ATTRIBUTES: Attributes = {};

/** Nobody writes into it: the SDK reads spans that have ended. */
const NONE: never[] = [];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface SpanFacts {
  readonly spanId: string;
  readonly parent: SpanContext | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly tookMs: number;
  readonly attributes: Attributes;
  readonly status: SpanStatus;
}

/** The spans of one request while they are made. */
class RequestSpans {
  readonly spans: ReadableSpan[] = [];
  readonly #request: TracedRequest;
  readonly #source: SpanSource;
  readonly #state: TraceState | undefined;

  constructor(request: TracedRequest, source: SpanSource) {
    const { state } = request.context;
    this.#request = request;
    this.#source = source;
    this.#state = state === undefined ? undefined : createTraceState(state);
  }

  contextOf(spanId: string, isRemote: boolean): SpanContext {
    const { traceId } = this.#request.context;
    const context = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote };
    return this.#state === undefined ? context : { ...context, traceState: this.#state };
  }

  /** @returns its context, for those inside it. */
  add(facts: SpanFacts): SpanContext {
    const { resource, scope } = this.#source;
    const { name, kind, parent, startMs, tookMs, attributes, status } = facts;
    const context = this.contextOf(facts.spanId, false);
    const span: Mutable<ReadableSpan> = {
      name,
      kind,
      spanContext: () => context,
      startTime: hrTimeOf(startMs),
      endTime: hrTimeOf(startMs + tookMs),
      duration: hrTimeOf(tookMs),
      status,
      attributes,
      links: NONE,
      events: NONE,
      ended: true,
      resource,
      instrumentationScope: scope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
    if (parent !== undefined) span.parentSpanContext = parent;
    this.spans.push(span);
    return context;
  }

  addStep(step: StepTrace, parent: SpanContext): void {
    const { context, receivedMs } = this.#request;
    const own = this.add({
      spanId: childSpanId(context.spanId, step.ordinal),
      parent,
      name: `${step.kind} ${step.name}`,
      kind: step.kind === "remote" ? SpanKind.CLIENT : SpanKind.INTERNAL,
      startMs: receivedMs + step.startedMs,
      tookMs: step.tookMs,
      attributes: stepAttributes(step),
      status: stepStatus(step),
    });
    for (const child of step.children) this.addStep(child, own);
  }
}

function stepAttributes({ name, kind, status, facts }: StepTrace): Attributes {
  const attributes: Attributes = {
    "millrace.step.name": name,
    "millrace.step.kind": kind,
    "millrace.step.status": status,
  };
  for (const [fact, value] of Object.entries(facts)) {
    attributes[fact === "error" ? "error.type" : `millrace.step.${fact}`] = value;
  }
  return attributes;
}

function stepStatus({ status }: StepTrace): SpanStatus {
  const hasFailed = status === "failed" || status === "timeout" || status === "skipped";
  return hasFailed ? { code: SpanStatusCode.ERROR } : UNSET;
}

/** Seconds and nanoseconds. */
function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1e6)];
}
