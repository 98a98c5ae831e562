import type { MetricSnapshot, SeriesSnapshot } from "./metrics.ts";

/**
 * Joins the metrics of several processes. Counters and histograms add up. Gauges do not (the memory of two
 * processes is two facts), so each keeps its process as the label `process`.
 *
 * @param processes snapshots by the name of their process.
 */
export function mergeSnapshots(
  processes: ReadonlyMap<string, readonly MetricSnapshot[]>,
): MetricSnapshot[] {
  const merged = new Map<string, { metric: MetricSnapshot; series: Map<string, SeriesSnapshot> }>();
  for (const [process, snapshots] of processes) {
    for (const snapshot of snapshots) {
      const metric = snapshot.kind === "gauge" ? withProcess(snapshot, process) : snapshot;
      let target = merged.get(metric.name);
      if (target === undefined) {
        target = { metric, series: new Map() };
        merged.set(metric.name, target);
      }
      for (const series of metric.series) {
        const key = series.labels.join("\u0000");
        const sum = target.series.get(key);
        target.series.set(key, sum === undefined ? series : add(sum, series));
      }
    }
  }
  return [...merged.values()].map(({ metric, series }) => ({
    ...metric,
    series: [...series.values()],
  }));
}

function withProcess(metric: MetricSnapshot, process: string): MetricSnapshot {
  return {
    ...metric,
    labelNames: [...metric.labelNames, "process"],
    series: metric.series.map((series) => ({ ...series, labels: [...series.labels, process] })),
  };
}

function add(a: SeriesSnapshot, b: SeriesSnapshot): SeriesSnapshot {
  return {
    labels: a.labels,
    value: a.value + b.value,
    buckets: a.buckets.map((count, i) => count + (b.buckets[i] ?? 0)),
  };
}
