import { escapeHtml } from "../../core/escape-html.ts";
import type { CapacityReport, KneePoint, LittlesLaw } from "../../core/load/capacity.ts";
import { whyNotApplied } from "../apply-limits.ts";
import { capacityCards } from "./capacity-cards.ts";
import { capacityCharts } from "./capacity-charts.ts";
import {
  countText,
  durationText,
  latencyText,
  rateText,
  shareText,
  timeText,
} from "./load-figures.ts";
import { chartPlaces } from "./page-chart.ts";
import { pageDocument } from "./page-document.ts";
import { environmentFacts, factList } from "./page-facts.ts";

/** What a service can take, as one page: the rate, what stops it and whether that is proven, then how it was found. */
export async function capacityPage(report: CapacityReport): Promise<string> {
  const charts = capacityCharts(report);
  const { targets, objectives, started, took_ms: tookMs } = report;
  const [first = "no target", ...more] = targets;
  const others = more.length === 0 ? "" : ` and ${countText(more.length)} more`;
  const title = `Capacity: ${report.name}`;
  const body = `<h1>${escapeHtml(title)}</h1>
<p class="lead">${escapeHtml(`The highest rate at which ${objectives.join(" and ")}, to ${first}${others}, on ${timeText(started)}`)}</p>
${capacityCards(report)}
${limits(report)}
${chartPlaces(charts)}
${steps(report)}
${law(report)}
<section><h2>The search</h2>
${factList([
  { name: "Command", code: report.command },
  { name: "Targets", code: targets.join("\n") },
  { name: "Protocol", text: report.protocol },
  { name: "Arrivals", text: report.arrivals },
  { name: "Took", text: durationText(tookMs) },
  { name: "One client", text: oneClientText(report) },
  { name: "Seed", text: String(report.seed) },
  ...environmentFacts(report.environment),
])}
</section>`;
  return pageDocument({ title, body, charts });
}

function limits(report: CapacityReport): string {
  const why = whyNotApplied(report);
  if (why !== undefined) {
    return `<section><h2>Recommended limits</h2><p class="warn">None: ${escapeHtml(why)}.</p></section>`;
  }
  const { concurrency, rate, autoscale_target: target } = report.limits;
  const shown: readonly (readonly [string, string, string])[] = [
    ["Limit of requests in work", countText(concurrency), "rate × time of a request"],
    ["Limit of the rate", rateText(rate), "80 % of the capacity: the rest is refused"],
    ["Add an instance at", rateText(target), "70 % of the capacity of each instance"],
  ];
  return `<section><h2>Recommended limits</h2>
<dl class="figures">
${shown.map(([name, figure, why]) => `<div><dt>${name}</dt><dd>${figure}</dd><dd class="note">${why}</dd></div>`).join("\n")}
</dl>
</section>`;
}

/** Share that samples may differ by and still say something. */
const TOLERANCE_MAX = 0.5;

const PHASES: Readonly<Record<KneePoint["phase"], string>> = {
  baseline: "one client",
  double: "double",
  bisect: "halve the interval",
  confirm: "confirm",
  "cool-down": "cool down",
};

function steps({ curve }: CapacityReport): string {
  if (curve.length === 0) return "";
  const line = (point: KneePoint): string =>
    `<tr><th scope="row">${PHASES[point.phase]}</th>${[
      rateText(point.rate),
      rateText(point.goodput),
      latencyText(point.p50_ms),
      latencyText(point.p99_ms),
      shareText(point.errors),
    ]
      .map((figure) => `<td class="number">${figure}</td>`)
      .join("")}<td>${verdict(point)}</td></tr>`;
  return `<section><h2>Steps</h2>
<div class="scroll"><table class="data">
<thead><tr><th scope="col">Step</th>${["Offered", "Goodput", "p50", "p99", "Errors"].map((name) => `<th scope="col" class="number">${name}</th>`).join("")}<th scope="col">Held</th></tr></thead>
<tbody>
${curve.map(line).join("\n")}
</tbody>
</table></div>
</section>`;
}

function verdict({ phase, met, spoiled }: KneePoint): string {
  if (phase === "cool-down") return "–";
  if (spoiled) return `<span class="warn">! generator too slow</span>`;
  return met ? `<span class="good">✓ yes</span>` : `<span class="bad">✗ no</span>`;
}

/** Whether what was counted and what was timed are of the same run. */
function law({
  rate,
  littles_law: found,
  client_p99_ms: client,
  server_p99_ms: server,
  refused,
}: CapacityReport): string {
  if (rate <= 0) return "";
  const reasons = Object.entries(refused)
    .map(([reason, count]) => `${countText(count)} ${reason}`)
    .join(", ");
  const serverText = server === null ? "not known" : latencyText(server);
  return `<section><h2>Do the figures agree?</h2>
${factList([
  {
    name: "Little's law",
    text: `${found.under_way.toFixed(2)} requests were under way on average, rate × time is ${found.rate_times_latency.toFixed(2)}: ${lawText(found)}`,
  },
  { name: "p99", text: `client ${latencyText(client)}, server ${serverText}` },
  { name: "Refused above", text: reasons === "" ? "none" : reasons },
])}
</section>`;
}

function lawText({ ratio, tolerance, holds }: LittlesLaw): string {
  if (tolerance > TOLERANCE_MAX) return "too few samples to compare them";
  const apart = `${shareText(Math.abs(ratio - 1))} apart, ${shareText(tolerance)} allowed`;
  return `${apart}; ${holds ? "they agree" : "they do not agree"}`;
}

function oneClientText({
  one_client: { rate, p50_ms: p50Ms, p99_ms: p99Ms },
}: CapacityReport): string {
  return `${rateText(rate)}, p50 ${latencyText(p50Ms)}, p99 ${latencyText(p99Ms)}`;
}
