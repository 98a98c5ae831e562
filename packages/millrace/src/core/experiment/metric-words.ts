import type { MetricComparison, MetricReport, MetricState } from "./experiment-report.ts";

const STATES: Readonly<Record<MetricState, string>> = {
  better: "is better",
  worse: "is worse",
  safe: "is safe",
  regressed: "regressed",
  unclear: "is unclear",
  no_data: "has too little data",
};

/** `purchase of treatment is better: +2.31 points (+0.40 to +4.22 points)` */
export function metricWords(metric: MetricReport, comparison: MetricComparison): string {
  const { name, source } = metric;
  const { arm, state, difference, interval } = comparison;
  const head = `${name} of ${arm} ${STATES[state]}`;
  if (difference === undefined || interval === undefined) return head;
  const isShare = source.kind !== "event" || source.aggregate === "converted";
  const words = (value: number): string => signed(isShare ? value * 100 : value);
  const unit = isShare ? " points" : "";
  const { low, high } = interval;
  const range =
    low === null
      ? high === null
        ? "without bounds"
        : `at most ${words(high)}${unit}`
      : high === null
        ? `at least ${words(low)}${unit}`
        : `${words(low)} to ${words(high)}${unit}`;
  return `${head}: ${words(difference)}${unit} (${range})`;
}

/** `12.3 %` */
export function percentWords(share: number): string {
  return `${fewDigits(share * 100)} %`;
}

function signed(value: number): string {
  const text = fewDigits(Math.abs(value));
  return text === "0" ? text : `${value < 0 ? "−" : "+"}${text}`;
}

/** Three digits, or two behind the point. */
function fewDigits(value: number): string {
  const digits = Math.abs(value) >= 1 ? value.toFixed(2) : value.toPrecision(3);
  return String(Number(digits));
}
