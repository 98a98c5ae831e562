import { escapeHtml } from "../../core/escape-html.ts";
import type { LoadReport, LoadWindow, ServerView, Spread } from "../../core/load/load-report.ts";
import { countText, durationText, latencyText, shareText } from "./load-figures.ts";
import { codeClass, codeLabel } from "./time-charts.ts";

/** Of the errors, which a hostile service can make as many as it likes. */
const ERRORS_SHOWN = 50;
/** Letters of an error. */
const ERROR_LETTERS = 500;
const SLOWEST_SHOWN = 5;

/** What the pictures show, as figures; and what no picture shows. */
export function loadTables(report: LoadReport): string {
  if (report.millrace.starts.due === 0) return "";
  return [
    spreads(report),
    codes(report),
    errors(report),
    slowest(report),
    server(report.millrace.server),
  ].join("\n");
}

const FIGURES = [
  ["min", "min_ms"],
  ["mean", "mean_ms"],
  ["p50", "p50_ms"],
  ["p90", "p90_ms"],
  ["p95", "p95_ms"],
  ["p99", "p99_ms"],
  ["p99.9", "p999_ms"],
  ["p99.99", "p9999_ms"],
  ["max", "max_ms"],
] as const satisfies readonly (readonly [string, keyof Spread])[];

function spreads({ millrace: facts }: LoadReport): string {
  const line = (name: string, what: string, spread: Spread): string =>
    `<tr><th scope="row"><span class="head">${name}</span><br><span class="note">${what}</span></th>${FIGURES.map(
      ([, key]) => `<td class="number">${spread.count === 0 ? "–" : latencyText(spread[key])}</td>`,
    ).join("")}</tr>`;
  return `<section><h2>Latencies</h2>
<div class="scroll"><table class="data">
<thead><tr><th></th>${FIGURES.map(([name]) => `<th scope="col" class="number">${name}</th>`).join("")}</tr></thead>
<tbody>
${line("Response", "due to last byte", facts.response)}
${line("Service", "sent to last byte", facts.service)}
${line("First byte", "sent to first byte", facts.first_byte)}
${line("Lag", "due to sent", facts.lag)}
</tbody>
</table></div>
</section>`;
}

function codes({ status_codes: counts, requests }: LoadReport): string {
  const lines = Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([code, count]) => {
      const share = requests === 0 ? 0 : count / requests;
      return `<tr><th scope="row" class="head">${escapeHtml(codeLabel(code))}</th><td class="number">${countText(count)}</td><td class="number">${shareText(share)}</td><td class="share"><i class="bar" style="width:${(share * 100).toFixed(2)}%;background:var(--code-${codeClass(code)})"></i></td></tr>`;
    });
  if (lines.length === 0) return "";
  return `<section><h2>Codes</h2>
<div class="scroll"><table class="data">
<thead><tr><th scope="col">Code</th><th scope="col" class="number">Answers</th><th scope="col" class="number">Share</th><th class="share"></th></tr></thead>
<tbody>
${lines.join("\n")}
</tbody>
</table></div>
</section>`;
}

function errors({ errors: texts }: LoadReport): string {
  if (texts.length === 0) return "";
  const shown = texts.slice(0, ERRORS_SHOWN).map((text) => {
    const isLong = text.length > ERROR_LETTERS;
    return `<li><code>${escapeHtml(isLong ? `${text.slice(0, ERROR_LETTERS)}…` : text)}</code></li>`;
  });
  const more = texts.length - shown.length;
  const rest =
    more === 0 ? "" : `<p class="note">and ${countText(more)} more, which the JSON report has</p>`;
  return `<section><h2>Errors</h2>
<ul>${shown.join("\n")}</ul>
${rest}
</section>`;
}

/** Where to look in the logs of the service. */
function slowest({ millrace: { timeline, window_ms: windowMs } }: LoadReport): string {
  if (timeline.length <= 2 * SLOWEST_SHOWN) return "";
  const list = timeline.toSorted((a, b) => b.p99_ms - a.p99_ms).slice(0, SLOWEST_SHOWN);
  const line = (window: LoadWindow): string =>
    `<tr><th scope="row">${durationText(window.from_ms)}</th>${[
      countText(window.due),
      countText(window.failed + window.dropped),
      latencyText(window.p50_ms),
      latencyText(window.p99_ms),
      latencyText(window.max_ms),
      countText(window.under_way),
    ]
      .map((figure) => `<td class="number">${figure}</td>`)
      .join("")}</tr>`;
  return `<section><h2>The slowest windows of ${durationText(windowMs)}</h2>
<div class="scroll"><table class="data">
<thead><tr><th scope="col">After</th>${["Due", "Failed", "p50", "p99", "max", "Under way"].map((name) => `<th scope="col" class="number">${name}</th>`).join("")}</tr></thead>
<tbody>
${list.map(line).join("\n")}
</tbody>
</table></div>
</section>`;
}

function server(view: ServerView | undefined): string {
  if (view === undefined) return "";
  const refused = Object.entries(view.refused).filter(([, count]) => count > 0);
  const reasons = refused.map(([reason, count]) => `${countText(count)} ${reason}`).join(", ");
  return `<section><h2>What the server says</h2>
<dl class="facts"><dt>Requests</dt><dd>${countText(view.requests)}</dd>
<dt>Its own latency</dt><dd>p50 ${latencyText(view.p50_ms)}, p99 ${latencyText(view.p99_ms)}</dd>
<dt>Refused</dt><dd>${escapeHtml(reasons === "" ? "none" : reasons)}</dd></dl>
</section>`;
}
