import { escapeHtml } from "../../core/escape-html.ts";
import type { CapacityReport } from "../../core/load/capacity.ts";
import { CONFIRMATIONS } from "../../core/load/capacity-search.ts";
import { latencyText, rateText, shareText } from "./load-figures.ts";
import { figureLines, pageCard } from "./page-card.ts";

/** The three questions of the first screen of a capacity search. */
export function capacityCards(report: CapacityReport): string {
  return `<div class="cards">
${rateCard(report)}
${stopCard(report)}
${proofCard(report)}
</div>`;
}

const KINDS = { found: "good", at_least: "warn", unfinished: "warn", none: "bad" } as const;

function rateCard({ outcome, rate, interval: { low, high } }: CapacityReport): string {
  const answer = {
    found: rateText(rate),
    at_least: `≥ ${rateText(rate)}`,
    unfinished: rate > 0 ? `≥ ${rateText(rate)}` : "Unknown",
    none: "Nothing",
  }[outcome];
  const apart = high === null ? 0 : (high - low) / (high + low);
  const details = {
    found: `Held at ${rateText(low)}, missed at ${rateText(high ?? low)}: known to ± ${shareText(apart)}.`,
    at_least: `Held at ${rateText(low)}; what ended the search was not the service.`,
    unfinished: "The search was not ended.",
    none: "Not even the lowest rate met the objectives.",
  }[outcome];
  return pageCard({
    question: "How much does it take?",
    kind: KINDS[outcome],
    answer,
    details: `<p>${details}</p>`,
  });
}

function stopCard({
  limited_by: limitedBy,
  is_generator_bound: isGenerator,
  objectives,
  ...report
}: CapacityReport): string {
  return pageCard({
    question: "What stops it?",
    kind: isGenerator ? "warn" : "plain",
    answer: isGenerator
      ? "The generator"
      : report.outcome === "found" || report.outcome === "none"
        ? "The service"
        : "Unknown",
    details: `<p>${escapeHtml(limitedBy)}</p>
<p class="note">Asked for: ${escapeHtml(objectives.join(", "))}</p>`,
  });
}

function proofCard(report: CapacityReport): string {
  const { outcome, confirmations, littles_law: law, notes } = report;
  const { client_p99_ms: clientMs, server_p99_ms: serverMs } = report;
  const isProven = outcome === "found" && confirmations >= CONFIRMATIONS && law.holds;
  const list = notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join("");
  return pageCard({
    question: "Can it be relied on?",
    kind: isProven ? "good" : "warn",
    answer: isProven ? "Yes" : "Not fully",
    details: `${figureLines([
      ["confirmed", `${confirmations} of ${CONFIRMATIONS} times`],
      ["Little's law", report.rate > 0 ? (law.holds ? "holds" : "does not hold") : "–"],
      ["p99 of the client", report.rate > 0 ? latencyText(clientMs) : "–"],
      ["p99 of the server", serverMs === null ? "not known" : latencyText(serverMs)],
    ])}${list}`,
  });
}
