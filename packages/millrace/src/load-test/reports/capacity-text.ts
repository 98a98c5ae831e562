import { CONFIRMATIONS } from "../../core/load/capacity-search.ts";
import type { CapacityReport, KneePoint } from "../../core/load/capacity.ts";
import { withoutControls } from "../../core/without-controls.ts";
import { countText, durationText, latencyText, rateText, shareText } from "./load-figures.ts";

interface PictureOptions {
  /** The terminal shows more than ASCII. */
  readonly isUnicode: boolean;
}

/** What a capacity search has found, as a person reads it in a terminal. */
export function capacityText(report: CapacityReport, options: PictureOptions): string {
  const lines = [
    headline(report),
    "",
    ...factLines(report),
    "",
    ...kneeTable(report.curve, options),
    ...report.notes.flatMap((note, i) => (i === 0 ? ["", `note  ${note}`] : [`      ${note}`])),
  ];
  return lines.map((line) => `${withoutControls(line).trimEnd()}\n`).join("");
}

/** What was found, and how far it is to be trusted, in one line. */
function headline(report: CapacityReport): string {
  const { name, outcome, rate, interval, confirmations, limited_by: limitedBy } = report;
  const confirmed = `confirmed ${confirmations} of ${CONFIRMATIONS} times`;
  switch (outcome) {
    case "found":
      return `${name}: ${rateText(rate)} holds, ${confirmed}; ${rateText(interval.high ?? rate)} fails`;
    case "at_least":
      return `${name}: at least ${rateText(rate)}, ${confirmed}; the service may take more`;
    case "none":
      return `${name}: no rate meets the objectives: ${limitedBy}`;
    case "unfinished":
      return rate > 0
        ? `${name}: some ${rateText(rate)}, not finished: ${confirmed}`
        : `${name}: nothing is known, not finished`;
  }
}

function factLines(report: CapacityReport): readonly string[] {
  const { one_client: oneClient, took_ms: tookMs } = report;
  const facts = [
    row("objectives", report.objectives.join(", ")),
    row("arrivals", `${report.arrivals}; ${durationText(tookMs)} in all`),
    row(
      "one client",
      `${rateText(oneClient.rate)}, p50 ${latencyText(oneClient.p50_ms)}, p99 ${latencyText(oneClient.p99_ms)}`,
    ),
  ];
  if (!(report.rate > 0)) return facts;
  return [
    ...facts,
    row("stopped by", report.limited_by),
    row("p99", p99Text(report)),
    row("Little's law", littlesLawText(report)),
    row("limits", limitsText(report)),
  ];
}

const NAME_WIDTH = 14;

function row(name: string, text: string): string {
  return `  ${name.padEnd(NAME_WIDTH)}${text}`;
}

function p99Text({ client_p99_ms: client, server_p99_ms: server }: CapacityReport): string {
  const inside = server === null ? "" : `, ${latencyText(server)} in the server`;
  return `${latencyText(client)} at the client${inside}`;
}

function littlesLawText({ littles_law: law, rate }: CapacityReport): string {
  const allowed = `within ${Math.round(100 * law.tolerance)} %`;
  const sides = `${figure(law.under_way)} under way, rate × latency ${figure(law.rate_times_latency)}`;
  return law.holds
    ? `${sides} at ${rateText(rate)}: agree ${allowed}`
    : `${sides} at ${rateText(rate)}: do not agree ${allowed}, something was not measured`;
}

function limitsText({ limits }: CapacityReport): string {
  return `concurrency ${countText(limits.concurrency)}, rate ${rateText(limits.rate)} (80 %), another instance at ${rateText(limits.autoscale_target)} (70 %)`;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}

const COLUMNS = ["rate", "answered", "p50", "p99", "errors"] as const;
const COLUMN_WIDTH = 11;
const BAR_CELLS = 24;

/** A rate each line, the lowest first; the bar is its p99 on a logarithmic scale, so that the knee shows. */
function kneeTable(curve: readonly KneePoint[], { isUnicode }: PictureOptions): readonly string[] {
  const rates = byRate(curve);
  const p99s = rates.map(({ p99_ms }) => p99_ms).filter((ms) => ms > 0);
  const bar = barOn(Math.min(...p99s), Math.max(...p99s), isUnicode);
  const head = COLUMNS.map((name) => name.padStart(COLUMN_WIDTH)).join("");
  return [
    `${head}  p99`,
    ...rates.map((point) => {
      const cells = [
        rateText(point.rate),
        rateText(point.goodput),
        latencyText(point.p50_ms),
        latencyText(point.p99_ms),
        shareText(point.errors),
      ].map((cell) => cell.padStart(COLUMN_WIDTH));
      return `${cells.join("")}  ${bar(point.p99_ms).padEnd(BAR_CELLS)}  ${verdictText(point)}`;
    }),
  ];
}

interface TriedRate extends KneePoint {
  readonly tries: number;
  readonly heldTries: number;
}

function byRate(curve: readonly KneePoint[]): readonly TriedRate[] {
  const rates = Map.groupBy(
    curve,
    ({ phase, rate }) => `${phase === "baseline" ? "one client" : ""} ${rate}`,
  );
  return [...rates.values()]
    .map((points): TriedRate => {
      // The one in the middle: the last of a rate may be an outlier as well as the first.
      const ordered = points.toSorted((a, b) => a.p99_ms - b.p99_ms);
      const middle = ordered[(ordered.length - 1) >> 1] as KneePoint;
      const heldTries = points.filter(({ met }) => met).length;
      return {
        ...middle,
        spoiled: heldTries === 0 && points.every(({ spoiled }) => spoiled),
        tries: points.length,
        heldTries,
      };
    })
    .toSorted((a, b) => a.rate - b.rate);
}

function verdictText({ phase, tries, heldTries, spoiled }: TriedRate): string {
  const times = tries === 1 ? "" : ` ${heldTries} of ${tries}`;
  if (phase === "baseline") return "one client";
  if (heldTries === tries) return tries === 1 ? "held" : `held${times}`;
  if (spoiled) return "not reached by the generator";
  return heldTries === 0 ? "failed" : `held${times}`;
}

function barOn(least: number, most: number, isUnicode: boolean): (ms: number) => string {
  const mark = isUnicode ? "█" : "#";
  const span = Math.log(most / least);
  return (ms) => {
    if (!(ms > 0)) return "";
    const share = span > 0 ? Math.log(ms / least) / span : 1;
    return mark.repeat(Math.max(1, Math.round(share * BAR_CELLS)));
  };
}
