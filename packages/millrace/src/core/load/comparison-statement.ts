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

/** `p99 is 8.1 % higher (5 % to 11.3 %)` */
function changeText({ metric, change, interval }: MetricComparison): string {
  if (change === null || interval === null) return metric;
  const [unit, factor] = metric === "errors" ? ["percentage points", 100] : ["%", 100];
  const sign = change < 0 ? -1 : 1;
  const [near, far] = sign < 0 ? [-interval.high, -interval.low] : [interval.low, interval.high];
  const texts = [Math.abs(change), near, far].map((value) => figure(value * factor));
  const verb = metric === "errors" ? "are" : "is";
  const direction = sign < 0 ? "lower" : "higher";
  return `${metric} ${verb} ${texts[0]} ${unit} ${direction} (${texts[1]} to ${texts[2]})`;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** `p50, p90 and p99` */
function listText(texts: readonly string[]): string {
  if (texts.length < 2) return texts.join("");
  return `${texts.slice(0, -1).join(", ")} and ${texts.at(-1) ?? ""}`;
}
