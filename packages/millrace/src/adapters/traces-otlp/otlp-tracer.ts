import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { Clock } from "../../core/clock.ts";
import { LineLimit } from "../../core/line-limit.ts";
import { messageOf } from "../../core/message-of.ts";
import type { Logger } from "../../ports/logger.ts";
import type { TracedRequest, Tracer, TracerCounts } from "../../ports/tracer.ts";
import { MILLRACE_VERSION } from "../../version.ts";
import { spanCountOf, spansOf, type SpanSource } from "./spans-of.ts";
import { tracesUrl } from "./traces-url.ts";

export interface OtlpTracerOptions {
  /** Address of the collector, with or without the path of the protocol. */
  readonly endpoint: string;
  /** May be secret: never printed. */
  readonly headers: Readonly<Record<string, string>>;
  /** `service.name` of the spans. */
  readonly serviceName: string;
  /** Serve processes of one server are told apart by it. */
  readonly processIndex: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Spans that wait for the collector; what comes on top of them is dropped. About 8 MB. */
export const WAITING_SPANS_MAX = 8_192;

/** Spans of one export: they are made and written in one go, in about a millisecond. */
export const BATCH_SPANS_MAX = 256;

/** How long a batch that is not full waits for more. */
const BATCH_MS_MAX = 1_000;

/** Longest time for an export, repetitions of it included. */
const EXPORT_MS_MAX = 5_000;

/** A collector that is away is told about this often. */
const LOG_EVERY_MS = 60_000;

/**
 * Sends spans by OTLP over HTTP, in batches, one after the other. Requests wait as they were recorded; their spans are
 * made when it is their turn.
 */
export class OtlpTracer implements Tracer {
  readonly counts: { -readonly [Name in keyof TracerCounts]: number } = {
    exported: 0,
    dropped: 0,
    exportErrors: 0,
  };
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #limit: LineLimit;
  readonly #exporter: OTLPTraceExporter;
  readonly #source: SpanSource;
  #waiting: TracedRequest[] = [];
  #waitingSpans = 0;
  #isClosed = false;
  /** Of the batch that is not full. */
  #stopTimer: (() => void) | undefined;
  #exporting: Promise<void> | undefined;

  constructor({ endpoint, headers, serviceName, processIndex, clock, log }: OtlpTracerOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#limit = new LineLimit(clock, LOG_EVERY_MS);
    this.#exporter = new OTLPTraceExporter({
      url: tracesUrl(endpoint),
      headers: { ...headers },
      timeoutMillis: EXPORT_MS_MAX,
    });
    this.#source = {
      resource: resourceFromAttributes({
        "service.name": serviceName,
        "service.instance.id": `${serviceName}-${processIndex}`,
        "process.pid": process.pid,
      }),
      scope: { name: "millrace", version: MILLRACE_VERSION },
    };
  }

  record(request: TracedRequest): void {
    const spanCount = spanCountOf(request);
    if (this.#isClosed || this.#waitingSpans + spanCount > WAITING_SPANS_MAX) {
      this.counts.dropped += spanCount;
      return;
    }
    this.#waiting.push(request);
    this.#waitingSpans += spanCount;
    this.#exportSoon();
  }

  async close(waitMs: number): Promise<void> {
    this.#isClosed = true;
    this.#stopTimer?.();
    const untilMs = this.#clock.nowMs() + waitMs;
    const { promise: isOver, resolve } = Promise.withResolvers<void>();
    const stop = this.#clock.schedule(waitMs, resolve);
    while (this.#isBusy && this.#clock.nowMs() < untilMs) {
      await Promise.race([this.#exporting ?? this.#export(), isOver]);
    }
    stop();
    this.counts.dropped += this.#waitingSpans;
    this.#waiting = [];
    this.#waitingSpans = 0;
  }

  get #isBusy(): boolean {
    return this.#exporting !== undefined || this.#waiting.length > 0;
  }

  #exportSoon(): void {
    if (this.#exporting !== undefined || this.#isClosed) return;
    if (this.#waitingSpans >= BATCH_SPANS_MAX) {
      this.#stopTimer?.();
      this.#stopTimer = undefined;
      void this.#export();
    } else {
      this.#stopTimer ??= this.#clock.schedule(BATCH_MS_MAX, () => {
        this.#stopTimer = undefined;
        if (this.#exporting === undefined) void this.#export();
      });
    }
  }

  /** Exports one batch. Never rejects. */
  #export(): Promise<void> {
    this.#exporting = this.#send(this.#takeBatch()).finally(() => {
      this.#exporting = undefined;
      if (this.#waiting.length > 0) this.#exportSoon();
    });
    return this.#exporting;
  }

  /** A request that has more spans than a batch is one by itself. */
  #takeBatch(): TracedRequest[] {
    let count = 0;
    let spanCount = 0;
    for (const request of this.#waiting) {
      spanCount += spanCountOf(request);
      count++;
      if (spanCount >= BATCH_SPANS_MAX) break;
    }
    this.#waitingSpans -= spanCount;
    return this.#waiting.splice(0, count);
  }

  async #send(batch: readonly TracedRequest[]): Promise<void> {
    // Not in the turn of the request that made the batch full.
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    const spans = batch.flatMap((request) => spansOf(request, this.#source));
    const error = await this.#take(spans);
    if (error === undefined) {
      this.counts.exported += spans.length;
      return;
    }
    this.counts.exportErrors++;
    this.counts.dropped += spans.length;
    const heldBack = this.#limit.pass("export");
    if (heldBack === undefined) return;
    const { exportErrors, dropped } = this.counts;
    const fields = { reason: messageOf(error), exportErrors, dropped };
    this.#log.warn(fields, `Spans could not be sent: ${messageOf(error)}`);
  }

  /** @returns why the collector did not take them; undefined when it did. */
  #take(spans: ReturnType<typeof spansOf>): Promise<unknown> {
    return new Promise((resolve) => {
      try {
        this.#exporter.export(spans, ({ code, error }) => {
          resolve(code === 0 ? undefined : (error ?? new Error("it was refused")));
        });
      } catch (error) {
        resolve(error);
      }
    });
  }
}
