import {
  countText,
  durationText,
  microsecondsText,
  rateText,
  shareText,
  timeText,
} from "./report-numbers.ts";
import { withoutControls } from "../core/without-controls.ts";
import type { AgreementGroup, Measured, Percentiles, ReplayReport } from "./replay-report.ts";

/** A report as a person reads it in a terminal. */
export function textReport(report: ReplayReport): string {
  const lines = [
    headline(report),
    "",
    row("agreement", agreementText(report)),
    row("requests", requestsText(report)),
    ...report.requests.skipped.map(({ name, count }) =>
      row("", `${countText(count)} because ${name}`),
    ),
    row("errors", errorsText(report)),
    row("rate", ratesText(report)),
    "",
    ...latencyTable(report),
    ...groupTable("by label", report.byLabel),
    ...groupTable("by hour", report.byHour),
    ...disagreementLines(report),
  ];
  const text = lines.map((line) => withoutControls(line).trimEnd()).join("\n");
  return `${text.trimEnd()}\n`;
}

const NAME_WIDTH = 12;

function row(name: string, text: string): string {
  return `${name.padEnd(NAME_WIDTH)}${text}`;
}

function headline({ service, candidate, compare, from, until, end }: ReplayReport): string {
  const partly = end === "complete" ? "" : end === "limit" ? ", up to --limit" : ", interrupted";
  return `${service} → ${candidate.model}, compared by ${compare}, ${timeText(from)} to ${timeText(until)}${partly}`;
}

export function agreementText({ agreement }: Pick<ReplayReport, "agreement">): string {
  const { compared, agreed, share, low, high } = agreement;
  if (share === undefined) return "nothing was compared";
  const rows = `${countText(agreed)} of ${countText(compared)} ${compared === 1 ? "row" : "rows"}`;
  return `${shareText(share)} (${rows}; 95 % interval ${shareText(low)} to ${shareText(high)})`;
}

export function requestsText({ requests }: ReplayReport): string {
  const { found, replayed, skipped } = requests;
  const skippedCount = skipped.reduce((sum, { count }) => sum + count, 0);
  const rest = skippedCount === 0 ? "" : `, ${countText(skippedCount)} skipped:`;
  return `${countText(replayed)} of ${countText(found)} replayed${rest}`;
}

export function errorsText({ errors }: ReplayReport): string {
  const { candidate, logged, answered } = errors;
  const found = candidate.map(({ name, count }) => `${countText(count)} ${name}`).join(", ");
  const before = logged.reduce((sum, { count }) => sum + count, 0);
  const rest =
    before === 0 ? "" : `; of ${countText(before)} that had failed ${countText(answered)} answered`;
  return `${found === "" ? "none" : found}${rest}`;
}

export function ratesText({ rate, requests, tookMs }: ReplayReport): string {
  const { logged, offered, reached, lateMsMax } = rate;
  const parts = [
    `${countText(requests.replayed)} requests in ${durationText(tookMs)}`,
    ...(logged === undefined ? [] : [`logged at ${rateText(logged)}`]),
    ...(offered === undefined ? [] : [`offered at ${rateText(offered)}`]),
    ...(reached === undefined ? [] : [`answered at ${rateText(reached)}`]),
    ...(lateMsMax === undefined ? [] : [`latest start ${durationText(lateMsMax)} late`]),
  ];
  return parts.join(", ");
}

const FIGURES = ["p50", "p90", "p99", "max"] as const;
const COLUMN_WIDTH = 11;

function latencyTable({ latency }: ReplayReport): readonly string[] {
  const { inferUs, totalUs } = latency;
  if (totalUs.logged === undefined) return [];
  const titles = FIGURES.map((name) => name.padStart(COLUMN_WIDTH)).join("");
  return [
    row("latency", `${"".padEnd(NAME_WIDTH)}${titles}`),
    ...latencyRows("  model", inferUs),
    ...latencyRows("  total", totalUs),
    "",
  ];
}

function latencyRows(name: string, { logged, candidate }: Measured): readonly string[] {
  return [
    row(name, `${"logged".padEnd(NAME_WIDTH)}${figures(logged)}`),
    row("", `${"candidate".padEnd(NAME_WIDTH)}${figures(candidate)}`),
  ];
}

function figures(percentiles: Percentiles | undefined): string {
  return FIGURES.map((name) => microsecondsText(percentiles?.[name]).padStart(COLUMN_WIDTH)).join(
    "",
  );
}

/** Groups that are shown in a terminal; `--json` and the page have all. */
const GROUPS_SHOWN = 24;

function groupTable(title: string, groups: readonly AgreementGroup[]): readonly string[] {
  if (groups.length === 0) return [];
  const width = Math.max(title.length, ...groups.map(({ name }) => name.length + 2)) + 2;
  const lines = groups.slice(0, GROUPS_SHOWN).map((group) => {
    const share = `${shareText(group.share).padStart(COLUMN_WIDTH)}`;
    const rows = countText(group.compared).padStart(COLUMN_WIDTH);
    return `${`  ${group.name}`.padEnd(width)}${rows}${share}  ${becameText(group)}`;
  });
  const more = groups.length - GROUPS_SHOWN;
  return [
    `${title.padEnd(width)}${"rows".padStart(COLUMN_WIDTH)}${"agreement".padStart(COLUMN_WIDTH)}`,
    ...lines,
    ...(more > 0 ? [`  … and ${countText(more)} more`] : []),
    "",
  ];
}

/** `→ virginica 3, 2 failed` */
export function becameText({ became = [], failed }: AgreementGroup): string {
  return [
    ...became.map(({ label, rows }) => `→ ${label} ${countText(rows)}`),
    ...(failed === 0 ? [] : [`${countText(failed)} failed`]),
  ].join(", ");
}

function disagreementLines({ disagreements, agreement }: ReplayReport): readonly string[] {
  if (disagreements.length === 0) return [];
  const count = agreement.compared - agreement.agreed;
  const shown = count > disagreements.length ? `, the first ${disagreements.length}` : "";
  return [
    `disagreements (${countText(count)}${shown})`,
    ...disagreements.flatMap(({ predictionId, inputs, logged, candidate, detail }) => [
      `  ${predictionId}  ${detail}`,
      `    inputs     ${inputs}`,
      `    logged     ${logged}`,
      `    candidate  ${candidate}`,
    ]),
  ];
}
