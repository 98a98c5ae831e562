import { LOG_TABLES, type LogTable } from "../core/predictions/log-block.ts";
import { Metrics, type MetricSnapshot } from "../core/metrics/metrics.ts";
import type { LogStatus } from "./log-messages.ts";

type Values = readonly (readonly [labels: readonly string[], value: number])[];

/** What the log process counts, from what its status says. */
export function shippingMetrics(status: LogStatus): readonly MetricSnapshot[] {
  const metrics = new Metrics();
  const bySink = (valueOf: (sink: LogStatus["sinks"][number]) => number): Values =>
    status.sinks.map((sink) => [[sink.sink], valueOf(sink)]);
  const byTable = (valueOf: (table: ReturnType<typeof ofTable>) => number): Values =>
    LOG_TABLES.map((table) => [[table], valueOf(ofTable(status, table))]);
  const gauge = (name: string, help: string, labels: readonly string[], values: Values): void =>
    metrics.gauge(name, help, labels, () => values);
  const counter = (name: string, help: string, labels: readonly string[], values: Values): void =>
    metrics.externalCounter(name, help, labels, () => values);

  const lags = bySink(({ lagSeconds }) => lagSeconds);
  gauge("predlog_sink_lag_seconds", "Age of the oldest that a sink has not got", ["sink"], lags);
  const oldest = Math.max(0, ...lags.map(([, value]) => value));
  gauge(
    "predlog_oldest_unshipped_seconds",
    "Age of the oldest that not all sinks have",
    [],
    [[[], oldest]],
  );
  counter(
    "predlog_sink_errors_total",
    "Times a sink failed",
    ["sink"],
    bySink(({ errors }) => errors),
  );
  counter(
    "predlog_shipped_rows_total",
    "Rows a sink has taken",
    ["sink"],
    bySink(({ rows }) => rows),
  );
  const unreadable = bySink((sink) => sink.unreadable);
  counter(
    "predlog_unreadable_records_total",
    "Records no row could be made of",
    ["sink"],
    unreadable,
  );
  const setAside = bySink((sink) => sink.setAside);
  counter("predlog_set_aside_total", "Segments a sink could not take", ["sink"], setAside);
  const unclean = "Processes that were killed with rows in memory, at most 10,000 each";
  counter("predlog_unclean_writers_total", unclean, [], [[[], status.uncleanWriters]]);
  const damaged = "Damaged parts of segments that were left out";
  counter("predlog_damaged_blocks_total", damaged, [], [[[], status.damagedBlocks]]);
  gauge(
    "predlog_table_files",
    "Files of a table",
    ["table"],
    byTable(({ files }) => files),
  );
  gauge(
    "predlog_table_bytes",
    "Bytes of a table",
    ["table"],
    byTable(({ bytes }) => bytes),
  );
  return metrics.snapshot();
}

function ofTable(
  { tables }: LogStatus,
  table: LogTable,
): Pick<LogStatus["tables"][number], "files" | "bytes"> {
  return tables.find((one) => one.table === table) ?? { files: 0, bytes: 0 };
}
