import { escapeHtml } from "../../core/escape-html.ts";
import type { LoadReport } from "../../core/load/load-report.ts";
import { countText, latencyText, shareText } from "./load-figures.ts";
import { figureLines, pageCard } from "./page-card.ts";

/** The three questions of the first screen, and above them what spoils the answers. */
export function verdictCards(report: LoadReport): string {
  return `${banner(report)}
<div class="cards">
${heldCard(report)}
${speedCard(report)}
${honestyCard(report)}
</div>`;
}

function banner({ millrace: { valid, problems } }: LoadReport): string {
  if (valid) return "";
  const list = problems.map(({ text }) => `<li>${escapeHtml(text)}</li>`).join("");
  return `<div class="banner" role="alert">
<p><strong>This run is not valid.</strong> Do not rely on its figures.</p>
<ul>${list}</ul>
</div>`;
}

/** Below this share of successes a latency needs a warning. */
const SUCCESS_USUAL = 0.95;

function heldCard(report: LoadReport): string {
  const { objectives, valid } = report.millrace;
  const question = "Did it hold?";
  if (report.requests === 0) {
    const details = "<p>Nothing was sent.</p>";
    return pageCard({ question, kind: "warn", answer: "Unknown", details });
  }
  if (objectives.length === 0) return unjudgedCard(report);
  const missed = objectives.filter(({ met }) => !met).length;
  const kind = missed > 0 ? "bad" : valid ? "good" : "warn";
  const all =
    objectives.length === 1 ? "The objective was" : `All ${objectives.length} objectives were`;
  const lines = objectives.map(
    ({ objective, met, found }) =>
      `<li class="${met ? "good" : "bad"}">${met ? "✓" : "✗"}<span>${escapeHtml(objective)}</span><b>${escapeHtml(found)}</b></li>`,
  );
  return pageCard({
    question,
    kind,
    answer: { bad: "No", good: "Yes", warn: "Not proven" }[kind],
    details: `<p>${missed === 0 ? `${all} met.` : `${missed} of ${objectives.length} objectives missed.`}</p>
<ul>${lines.join("\n")}</ul>`,
  });
}

/** Nobody said what it has to hold. */
function unjudgedCard({ requests, success }: LoadReport): string {
  const failed = requests - Math.round(success * requests);
  const failures =
    failed === 0 ? "No request failed." : `${countText(failed)} of ${countText(requests)} failed.`;
  return pageCard({
    question: "Did it hold?",
    kind: "plain",
    answer: shareText(success),
    unit: "succeeded",
    details: `<p>${failures} No objective was set, such as <code>--slo 'p99&lt;50ms,errors&lt;0.1%'</code>.</p>`,
  });
}

function speedCard({ success, millrace: { response } }: LoadReport): string {
  const question = "How fast?";
  if (response.count === 0) {
    const details = "<p>Nothing was measured.</p>";
    return pageCard({ question, kind: "plain", answer: "–", details });
  }
  const warning =
    success < SUCCESS_USUAL
      ? `<p class="warn">${shareText(1 - success)} of these were failures, which may be fast.</p>`
      : "";
  const lines = figureLines([
    ["half within", latencyText(response.p50_ms)],
    ["90 % within", latencyText(response.p90_ms)],
    ["99.9 % within", latencyText(response.p999_ms)],
    ["the slowest", latencyText(response.max_ms)],
  ]);
  return pageCard({
    question,
    kind: "plain",
    answer: latencyText(response.p99_ms),
    unit: "p99",
    details: `${warning}${lines}`,
  });
}

function honestyCard({ millrace: { valid, starts, lag, generator } }: LoadReport): string {
  const share = starts.due === 0 ? Number.NaN : starts.sent / starts.due;
  return pageCard({
    question: "Was the generator honest?",
    kind: valid ? "good" : "bad",
    answer: valid ? "Yes" : "No",
    details: figureLines([
      ["sent of those due", shareText(share)],
      ["dropped", countText(starts.dropped)],
      ["late, 99 % within", lag.count === 0 ? "–" : latencyText(lag.p99_ms)],
      ["busiest thread", shareText(generator.cpu)],
    ]),
  });
}
