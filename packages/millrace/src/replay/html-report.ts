import { escapeHtml } from "../core/escape-html.ts";
import { HTML_STYLE } from "./html-style.ts";
import type { AgreementGroup, Percentiles, ReplayReport } from "./replay-report.ts";
import { countText, microsecondsText, shareText, timeText } from "./report-numbers.ts";
import { agreementText, becameText, errorsText, ratesText, requestsText } from "./text-report.ts";

/** A report as one page that needs nothing else: no scripts, no fonts, no network. */
export function htmlReport(report: ReplayReport): string {
  const { service, candidate } = report;
  const title = `Replay of ${service} against ${candidate.model}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${HTML_STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${escapeHtml(leadOf(report))}</p>
${verdict(report)}
${facts(report)}
${latencies(report)}
${groups("Agreement by label", "Label", report.byLabel)}
${groups("Agreement by hour", "Hour (UTC)", report.byHour)}
${disagreements(report)}
</main>
</body>
</html>
`;
}

function leadOf({ from, until, compare, speed, end }: ReplayReport): string {
  const pace =
    speed === "max" ? "as fast as it goes" : speed === 1 ? "at its own pace" : `× ${speed}`;
  const partly = {
    complete: "",
    limit: " It ended at its limit.",
    interrupted: " It was interrupted.",
  };
  return `Requests from ${timeText(from)} to ${timeText(until)}, ${pace}, compared by ${compare}.${partly[end]}`;
}

/** The interval as a bar from 0 to 100 %, beside the share. */
function verdict(report: ReplayReport): string {
  const { share, low = 0, high = 0 } = report.agreement;
  const left = (low * 100).toFixed(2);
  const width = Math.max(0.5, (high - low) * 100).toFixed(2);
  const bar =
    share === undefined
      ? ""
      : `<div class="track" role="img" aria-label="95 % interval from ${shareText(low)} to ${shareText(high)}"><i class="interval" style="left:${left}%;width:${width}%"></i><i class="mark" style="left:${(share * 100).toFixed(2)}%"></i></div>`;
  return `<section class="verdict">
<p class="share">${shareText(share)}</p>
<div><p>Agreement: ${escapeHtml(agreementText(report))}</p>${bar}</div>
</section>`;
}

function facts(report: ReplayReport): string {
  const { candidate, requests } = report;
  const skipped = requests.skipped
    .map(({ name, count }) => `<li>${countText(count)} because ${escapeHtml(name)}</li>`)
    .join("");
  const rows: readonly (readonly [string, string])[] = [
    [
      "Candidate",
      `${escapeHtml(candidate.name)}, ${escapeHtml(candidate.model)} <code>${escapeHtml(candidate.digest.slice(0, 12))}</code>`,
    ],
    [
      "Requests",
      `${escapeHtml(requestsText(report))}${skipped === "" ? "" : `<ul>${skipped}</ul>`}`,
    ],
    ["Errors", escapeHtml(errorsText(report))],
    ["Rate", escapeHtml(ratesText(report))],
  ];
  return `<dl>${rows.map(([name, html]) => `<dt>${name}</dt><dd>${html}</dd>`).join("\n")}</dl>`;
}

const FIGURES = ["p50", "p90", "p99", "max"] as const;

function latencies({ latency: { inferUs, totalUs } }: ReplayReport): string {
  if (totalUs.logged === undefined) return "";
  const longestUs = Math.max(
    1,
    ...[inferUs, totalUs].flatMap(({ logged, candidate }) => [
      logged?.p99 ?? 0,
      candidate?.p99 ?? 0,
    ]),
  );
  const line = (name: string, who: string, figures: Percentiles | undefined): string =>
    `<tr><th scope="row">${name}</th><td>${who}</td>${FIGURES.map((key) => `<td class="number">${microsecondsText(figures?.[key])}</td>`).join("")}<td class="bars">${bar((figures?.p99 ?? 0) / longestUs, who)}</td></tr>`;
  return `<section><h2>Latency</h2>
<div class="scroll"><table>
<thead><tr><th></th><th></th>${FIGURES.map((key) => `<th class="number">${key}</th>`).join("")}<th class="bars">p99</th></tr></thead>
<tbody>
${line("Model", "logged", inferUs.logged)}
${line("", "candidate", inferUs.candidate)}
${line("Total", "logged", totalUs.logged)}
${line("", "candidate", totalUs.candidate)}
</tbody>
</table></div>
<p class="note">Total is from arrival to answer; the candidate's is without a network and without reading a body.</p>
</section>`;
}

function groups(title: string, kind: string, list: readonly AgreementGroup[]): string {
  if (list.length === 0) return "";
  const lines = list.map(
    (group) =>
      `<tr><th scope="row">${escapeHtml(group.name)}</th><td class="number">${countText(group.compared)}</td><td class="number">${shareText(group.share)}</td><td class="bars">${bar(group.share ?? 0, "candidate")}</td><td>${escapeHtml(becameText(group))}</td></tr>`,
  );
  return `<section><h2>${title}</h2>
<div class="scroll"><table>
<thead><tr><th>${kind}</th><th class="number">Rows</th><th class="number">Agreement</th><th class="bars"></th><th>Became</th></tr></thead>
<tbody>
${lines.join("\n")}
</tbody>
</table></div></section>`;
}

function disagreements({ disagreements: list, agreement }: ReplayReport): string {
  if (list.length === 0) return "";
  const count = agreement.compared - agreement.agreed;
  const shown = count > list.length ? ` (${countText(count)}, the first ${list.length})` : "";
  const lines = list.map(
    ({ predictionId, inputs, logged, candidate, detail }) =>
      `<article><h3><code>${escapeHtml(predictionId)}</code> ${escapeHtml(detail)}</h3>
<dl><dt>Inputs</dt><dd><code>${escapeHtml(inputs)}</code></dd><dt>Logged</dt><dd><code>${escapeHtml(logged)}</code></dd><dt>Candidate</dt><dd><code>${escapeHtml(candidate)}</code></dd></dl></article>`,
  );
  return `<section><h2>Disagreements${shown}</h2>
${lines.join("\n")}
</section>`;
}

/** @param share from 0 to 1. */
function bar(share: number, kind: string): string {
  return `<i class="bar ${kind}" style="width:${(share * 100).toFixed(2)}%"></i>`;
}
