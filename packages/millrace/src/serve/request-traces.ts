import type { Clock } from "../core/clock.ts";
import { ERRORS, type MillraceError } from "../core/errors.ts";
import { PLAIN_ERRORS } from "../core/plain-errors.ts";
import type { RandomBytes } from "../core/prediction-id.ts";
import { EpochTime } from "../core/trace-context/epoch-time.ts";
import { isSampled } from "../core/trace-context/is-sampled.ts";
import { parseTraceContext, type TraceContext } from "../core/trace-context/trace-context.ts";
import { TraceIds } from "../core/trace-context/trace-ids.ts";
import type { SpanAttribute, SpanPart, Tracer } from "../ports/tracer.ts";
import type { ChosenArm } from "./experiments/service-experiment.ts";
import type { PredictionRecord } from "./recent-predictions.ts";
import type { RequestTrace } from "./request-trace.ts";

export interface RequestTracesOptions {
  readonly tracer: Tracer;
  /** Of the requests that come without a trace, 0 to 1; those with one follow it. */
  readonly sample: number;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Of the addresses that requests over HTTP are for. */
  readonly scheme: "http" | "https";
}

/** How a request ended, in the words of its protocol. */
export interface TracedAnswer {
  /** Route or method: the name of the span, with the service behind it. */
  readonly name: string;
  /** When it came, on the clock's `nowMs`. */
  readonly receivedMs: number;
  readonly predictionId: string | undefined;
  /** What the conventions of OpenTelemetry ask for of this protocol; written on. */
  readonly attributes: Record<string, SpanAttribute>;
  /** What was answered instead of a prediction. */
  readonly error: MillraceError | undefined;
}

/**
 * Gives requests their place in a trace, and hands over those that are recorded when they are answered. What is not
 * sampled has a context too: the servers behind this one must not begin a trace of their own.
 */
export class RequestTraces {
  readonly scheme: RequestTracesOptions["scheme"];
  readonly #options: RequestTracesOptions;
  readonly #ids: TraceIds;
  readonly #epoch: EpochTime;

  constructor(options: RequestTracesOptions) {
    this.scheme = options.scheme;
    this.#options = options;
    this.#ids = new TraceIds(options.random);
    this.#epoch = new EpochTime(options.clock);
  }

  /** @param parent `traceparent` as it came, @param state `tracestate`; what is not valid counts for nothing. */
  begin(parent: string | undefined, state: string | undefined): RequestTrace {
    const caller = parseTraceContext(parent, state);
    if (caller !== undefined) {
      const context = caller.isSampled
        ? { ...caller, spanId: this.#ids.spanId(), isRecorded: true }
        : caller;
      return traceOf(context, caller.spanId);
    }
    const traceId = this.#ids.traceId();
    const isChosen = isSampled(traceId, this.#options.sample);
    const context = {
      traceId,
      spanId: this.#ids.spanId(),
      isSampled: isChosen,
      isRandom: true,
      state: undefined,
      isRecorded: isChosen,
    };
    return traceOf(context, undefined);
  }

  /** @param trace one that is recorded. */
  end(trace: RequestTrace, answer: TracedAnswer): void {
    const { context, parentSpanId, service, record } = trace;
    const { receivedMs, error } = answer;
    this.#options.tracer.record({
      context,
      parentSpanId,
      name: service === undefined ? answer.name : `${answer.name} ${service}`,
      receivedMs: this.#epoch.at(receivedMs),
      tookMs: this.#options.clock.nowMs() - receivedMs,
      attributes: attributesOf(answer, trace),
      failure: failureOf(error),
      parts: record === undefined || record.trace !== undefined ? [] : partsOf(record),
      steps: record?.trace,
    });
  }
}

function traceOf(context: TraceContext, parentSpanId: string | undefined): RequestTrace {
  return { context, parentSpanId, service: undefined, record: undefined };
}

/** What was our fault. Spans go elsewhere, so nothing in them quotes a request. */
function failureOf(error: MillraceError | undefined): string | undefined {
  if (error === undefined) return undefined;
  const { status, title } = ERRORS[error.code];
  if (status < 500) return undefined;
  return PLAIN_ERRORS.has(error.code) ? error.message : title;
}

function attributesOf(
  { attributes, predictionId, error }: TracedAnswer,
  { service, record }: RequestTrace,
): Record<string, SpanAttribute> {
  const set = (name: string, value: SpanAttribute | undefined): void => {
    if (value !== undefined && value !== "") attributes[name] = value;
  };
  set("millrace.service", service);
  set("millrace.prediction_id", record?.id ?? predictionId);
  set("millrace.model", record?.model);
  set("millrace.rule", record?.rule);
  setArm(record?.arm, set);
  set("millrace.cache", record?.cache);
  set("millrace.degraded", record?.degraded);
  // Of an answer that was given nevertheless, the code says what it stands in for.
  set("error.type", error?.code ?? (record?.code === "ok" ? undefined : record?.code));
  return attributes;
}

function setArm(
  arm: ChosenArm | undefined,
  set: (name: string, value: SpanAttribute) => void,
): void {
  if (arm === undefined) return;
  set("millrace.experiment", arm.experiment.config.name);
  set("millrace.variant", arm.assignment.arm);
}

/** They end when the prediction was there; only their lengths were measured, so they are laid end to end. */
function partsOf({ tookMs, queueMs, batchMs, computeMs }: PredictionRecord): SpanPart[] {
  const lengths = [
    ["queue", queueMs],
    ["batch", batchMs],
    ["compute", computeMs],
  ] as const;
  const parts: SpanPart[] = [];
  let startedMs = Math.max(0, tookMs - queueMs - batchMs - computeMs);
  for (const [name, partMs] of lengths) {
    if (partMs > 0) parts.push({ name, startedMs, tookMs: partMs });
    startedMs += partMs;
  }
  return parts;
}
