import { escapeHtml } from "../../core/escape-html.ts";
import type { LoadReport } from "../../core/load/load-report.ts";
import {
  bytesText,
  countText,
  durationText,
  rateText,
  shareText,
  timeText,
} from "./load-figures.ts";
import { loadTables } from "./load-tables.ts";
import { chartPlaces } from "./page-chart.ts";
import { pageDocument } from "./page-document.ts";
import { environmentFacts, factList, type PageFact } from "./page-facts.ts";
import { percentileChart } from "./percentile-chart.ts";
import { timeCharts } from "./time-charts.ts";
import { verdictCards } from "./verdict-cards.ts";

/**
 * The report of a load test as one page: its first screen says whether the service held, how fast it was, and whether
 * the generator can be believed. It opens without a network.
 */
export async function loadPage(report: LoadReport): Promise<string> {
  const { millrace: facts } = report;
  const [latency, ...others] = timeCharts(report);
  const charts = [latency, percentileChart(report), ...others].filter(
    (chart) => chart !== undefined,
  );
  const body = `<h1>Load test: ${escapeHtml(facts.name)}</h1>
<p class="lead">${escapeHtml(leadOf(report))}</p>
${verdictCards(report)}
${figures(report)}
${chartPlaces(charts)}
${loadTables(report)}
<section><h2>The test</h2>
${factList(testFacts(report))}
</section>
<section><h2>The machine that sent the load</h2>
${factList(machineFacts(report))}
</section>`;
  return pageDocument({ title: `Load test: ${facts.name}`, body, charts });
}

function leadOf({ millrace: facts }: LoadReport): string {
  const [first = "no target", ...more] = facts.targets;
  const others = more.length === 0 ? "" : ` and ${countText(more.length)} more`;
  return `${facts.arrivals}, for ${durationText(facts.duration_ms)}, to ${first}${others}, on ${timeText(facts.started)}`;
}

function figures({
  millrace: { starts, duration_ms: durationMs, protocol },
  ...report
}: LoadReport): string {
  const seconds = durationMs / 1000;
  const failed = report.requests - Math.round(report.success * report.requests);
  const shown: readonly (readonly [string, string])[] = [
    ["Offered", seconds > 0 ? rateText(starts.due / seconds) : "–"],
    ["Sent", rateText(report.rate)],
    ["Answered well", rateText(report.throughput)],
    ["Success", report.requests === 0 ? "–" : shareText(report.success)],
    ["Requests", countText(report.requests)],
    ["Failed", countText(failed)],
    ["Dropped", countText(starts.dropped)],
  ];
  return `<dl class="figures" aria-label="Figures of ${escapeHtml(protocol)}">
${shown.map(([name, figure]) => `<div><dt>${name}</dt><dd>${escapeHtml(figure)}</dd></div>`).join("\n")}
</dl>`;
}

function testFacts({
  millrace: facts,
  bytes_out: sent,
  bytes_in: received,
}: LoadReport): PageFact[] {
  const { starts } = facts;
  const unanswered =
    starts.unanswered === 0 ? "" : `, ${countText(starts.unanswered)} not answered when it ended`;
  return [
    { name: "Command", code: facts.command },
    { name: "Targets", code: facts.targets.join("\n") },
    { name: "Protocol", text: facts.protocol },
    { name: "Arrivals", text: facts.arrivals },
    {
      name: "Starts",
      text: `${countText(starts.due)} due, ${countText(starts.sent)} sent, ${countText(starts.dropped)} dropped${unanswered}`,
    },
    {
      name: "Time",
      text: `${durationText(facts.duration_ms)} after ${durationText(facts.warmup_ms)} of warm-up, from ${timeText(facts.started)}`,
    },
    {
      name: "Bodies",
      text: `${bytesText(sent.mean)} sent and ${bytesText(received.mean)} received on average, ${bytesText(sent.total)} and ${bytesText(received.total)} in all`,
    },
    { name: "Seed", text: String(facts.seed) },
  ];
}

function machineFacts({ millrace: { environment, generator } }: LoadReport): PageFact[] {
  return [
    {
      name: "Generator",
      text: `${countText(generator.threads)} ${generator.threads === 1 ? "thread" : "threads"}, the busiest at ${shareText(generator.cpu)} of a core, ${countText(generator.memory_mib)} MiB, at most ${countText(generator.connections_peak)} connections`,
    },
    ...environmentFacts(environment),
  ];
}
