import type { MetricSnapshot, SeriesSnapshot } from "./metrics.ts";

export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Metrics in the Prometheus text exposition format 0.0.4. */
export function prometheusText(metrics: readonly MetricSnapshot[]): string {
  let text = "";
  for (const metric of metrics) {
    text += `# HELP ${metric.name} ${metric.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`;
    text += `# TYPE ${metric.name} ${metric.kind}\n`;
    for (const series of metric.series) {
      text +=
        metric.kind === "histogram" ? histogramText(metric, series) : valueText(metric, series);
    }
  }
  return text;
}

function valueText(metric: MetricSnapshot, series: SeriesSnapshot): string {
  const labels = labelsText(metric.labelNames, series.labels);
  return `${metric.name}${labels} ${numberText(series.value)}\n`;
}

function numberText(value: number): string {
  if (Math.abs(value) === Infinity) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}

function histogramText(metric: MetricSnapshot, series: SeriesSnapshot): string {
  const { name, labelNames, bounds } = metric;
  let text = "";
  let count = 0;
  series.buckets.forEach((inBucket, i) => {
    count += inBucket;
    const bound = bounds[i];
    const le = bound === undefined ? "+Inf" : String(bound);
    text += `${name}_bucket${labelsText([...labelNames, "le"], [...series.labels, le])} ${count}\n`;
  });
  const labels = labelsText(labelNames, series.labels);
  return `${text}${name}_sum${labels} ${numberText(series.value)}\n${name}_count${labels} ${count}\n`;
}

function labelsText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return "";
  const pairs = names.map((name, i) => `${name}="${escapeLabel(values[i] ?? "")}"`);
  return `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
