import type { Counter, CounterFamily, Metrics } from "../../core/metrics/metrics.ts";
import type { SegmentWriterUsage } from "../../ports/segments.ts";

/**
 * Why a row is not in the log. `ring`: they came faster than they could be written; `disk`: it is too full; `failed`:
 * it could not be written.
 */
export const ROW_DROPS = ["ring", "disk", "failed"] as const;

export type RowDrop = (typeof ROW_DROPS)[number];

/** Why a row is in the log without inputs and prediction. */
export const PAYLOAD_DROPS = ["ring", "disk", "too_large", "failed"] as const;

export type PayloadDrop = (typeof PAYLOAD_DROPS)[number];

/** What the log has now, for the gauges. */
export interface LogUsage extends SegmentWriterUsage {
  /** Predictions that are not yet written. */
  readonly ringRecords: number;
}

/** The metrics of the prediction log. */
export class PredictionLogMetrics {
  readonly #rows: CounterFamily;
  readonly #dropped: Readonly<Record<RowDrop, Counter>>;
  readonly #payloadsDropped: Readonly<Record<PayloadDrop, Counter>>;
  #usage: (() => LogUsage) | undefined;

  constructor(registry: Metrics) {
    this.#rows = registry.counter("predlog_rows_total", "Rows of the prediction log", ["service"]);
    const dropped = registry.counter(
      "predlog_dropped_total",
      "Rows left out of the prediction log, but for those that log.sample leaves out",
      ["reason"],
    );
    const payloadsDropped = registry.counter(
      "predlog_payloads_dropped_total",
      "Predictions logged without their inputs and outputs, but for those that log.payload leaves out",
      ["reason"],
    );
    this.#dropped = counters(ROW_DROPS, dropped);
    this.#payloadsDropped = counters(PAYLOAD_DROPS, payloadsDropped);
    this.#addUsage(registry);
  }

  /** Where the gauges read. */
  setUsage(usage: () => LogUsage): void {
    this.#usage = usage;
  }

  rowsOf(service: string): Counter {
    return this.#rows.with(service);
  }

  countDropped(reason: RowDrop, rowCount: number): void {
    this.#dropped[reason].add(rowCount);
  }

  countPayloadDropped(reason: PayloadDrop): void {
    this.#payloadsDropped[reason].add();
  }

  #addUsage(registry: Metrics): void {
    const read = (of: (usage: LogUsage) => number) => () =>
      [[[], this.#usage === undefined ? 0 : of(this.#usage())]] as const;
    registry.externalCounter(
      "predlog_written_bytes_total",
      "Written to segments",
      [],
      read(({ writtenBytes }) => writtenBytes),
    );
    registry.gauge(
      "predlog_ring_records",
      "Predictions not yet written to a segment",
      [],
      read(({ ringRecords }) => ringRecords),
    );
    registry.gauge(
      "predlog_wal_bytes",
      "Disk space of segments, of all processes",
      [],
      read(({ walBytes }) => walBytes),
    );
    registry.gauge(
      "predlog_durable_lag_seconds",
      "Age of the oldest row that a power failure would lose now",
      [],
      read(({ durableLagMs }) => durableLagMs / 1000),
    );
  }
}

/** A counter for each reason, so that those that never happened read 0. */
function counters<Reason extends string>(
  reasons: readonly Reason[],
  family: CounterFamily,
): Readonly<Record<Reason, Counter>> {
  const entries = reasons.map((reason) => [reason, family.with(reason)]);
  return Object.fromEntries(entries) as Record<Reason, Counter>;
}
