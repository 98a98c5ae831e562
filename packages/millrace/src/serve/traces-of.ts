import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { Metrics } from "../core/metrics/metrics.ts";
import type { RandomBytes } from "../core/prediction-id.ts";
import type { Tracer } from "../ports/tracer.ts";
import { RequestTraces } from "./request-traces.ts";

/** Longest time that a process which ends waits for its last spans to be sent. */
export const TRACES_FLUSH_MS_MAX = 2_000;

/** @returns undefined where the file asks for no traces. */
export function requestTracesOf(
  { traces, server }: Config,
  {
    tracer,
    clock,
    random,
  }: {
    readonly tracer?: Tracer | undefined;
    readonly clock: Clock;
    readonly random: RandomBytes;
  },
): RequestTraces | undefined {
  if (traces === undefined || tracer === undefined) return undefined;
  const scheme = server.tls === undefined ? "http" : "https";
  return new RequestTraces({ tracer, sample: traces.sample, clock, random, scheme });
}

/** What becomes of spans. */
export function addTraceCounters(registry: Metrics, { counts }: Pick<Tracer, "counts">): void {
  const add = (name: string, help: string, read: () => number): void =>
    registry.externalCounter(name, help, [], () => [[[], read()]]);
  add("traces_spans_exported_total", "Spans that the collector took", () => counts.exported);
  add(
    "traces_spans_dropped_total",
    "Spans that were given up: too many waited, or the collector did not take them",
    () => counts.dropped,
  );
  add(
    "traces_export_errors_total",
    "Batches of spans that the collector did not take",
    () => counts.exportErrors,
  );
}
