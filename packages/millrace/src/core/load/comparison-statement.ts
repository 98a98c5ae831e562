import type { MetricComparison } from "./load-comparison.ts";

/** What is certain of two load tests, in a sentence or two. */
export function comparisonStatement(metrics: readonly MetricComparison[]): string {
  const of = (verdict: MetricComparison["verdict"]): readonly MetricComparison[] =>
    metrics.filter((metric) => metric.verdict === verdict);
  const worse = of("worse");
  const better = of("better");
  const same = of("same");
  const sentences = [
    certainText(worse, better),
    same.length > 0 && `No difference shows in ${listText(same.map(nameOf))}.`,
    of("unknown").length > 0 && `Nothing can be said of ${listText(of("unknown").map(nameOf))}.`,
  ];
  return sentences.filter((sentence) => sentence !== false).join(" ");
}

function certainText(
  worse: readonly MetricComparison[],
  better: readonly MetricComparison[],
): string | false {
  const verdict = worse.length === 0 ? "better" : better.length === 0 ? "worse" : "mixed";
  const changed = [...worse, ...better];
  if (changed.length === 0) return false;
  const how = verdict === "mixed" ? "worse in part and better in part" : verdict;
  return `With 95 % confidence the second one is ${how}: ${listText(changed.map(changeText))}.`;
}

function nameOf({ metric }: MetricComparison): string {
  return metric;
}

/** `p99 is 8.1 % higher (5 to 11.3)` */
function changeText({ metric, change, interval }: MetricComparison): string {
  if (change === null || interval === null) return metric;
  const [verb, unit] = metric === "errors" ? ["are", "percentage points"] : ["is", "%"];
  const isLower = change < 0;
  const [near, far] = isLower ? [-interval.high, -interval.low] : [interval.low, interval.high];
  const size = `${figure(Math.abs(change))} ${unit} ${isLower ? "lower" : "higher"}`;
  return `${metric} ${verb} ${size} (${figure(near)} to ${figure(far)})`;
}

/** Of a share, in hundredths. */
function figure(share: number): string {
  return String(Number((100 * share).toPrecision(3)));
}

/** `p50, p90 and p99` */
function listText(texts: readonly string[]): string {
  if (texts.length < 2) return texts.join("");
  return `${texts.slice(0, -1).join(", ")} and ${texts.at(-1) ?? ""}`;
}
