import type { LoadReport, Spread } from "../../core/load/load-report.ts";
import { withoutControls } from "../../core/without-controls.ts";
import { alignColumns } from "./align-columns.ts";
import { formatFixed } from "./format-fixed.ts";
import { formatGoDuration, roundGoDuration } from "./format-go-duration.ts";
import { textReport } from "./text-report.ts";

/** vegeta's text report, and behind it what vegeta does not know, in the same layout. */
export function loadTextReport(report: LoadReport): string {
  const lines = [
    ...latencyLines(report.millrace),
    ...generatorLines(report.millrace),
    ...serverLines(report.millrace),
    ...validityLines(report.millrace),
    ...objectiveLines(report.millrace),
  ];
  return `${textReport(report)}\n${alignColumns(lines.map(withoutControlsInCells))}`;
}

type Facts = LoadReport["millrace"];

/** What callers wait, beside what is left when the time a request waits to be sent is not counted. */
function latencyLines({ response, service, first_byte: firstByte, lag }: Facts): readonly string[] {
  const names = "[mean, 50, 90, 99, 99.9, 99.99, max]";
  return [
    `Response\t${names}\t${spreadText(response)}`,
    `Service\t${names}\t${spreadText(service)}`,
    `First Byte\t${names}\t${spreadText(firstByte)}`,
    `Send Lag\t${names}\t${spreadText(lag)}`,
  ];
}

function generatorLines({ starts, generator }: Facts): readonly string[] {
  const { due, sent, dropped, unanswered } = starts;
  const { threads, cpu, memory_mib: memoryMib, connections_peak: connectionsPeak } = generator;
  return [
    `Starts\t[due, sent, dropped, unanswered]\t${due}, ${sent}, ${dropped}, ${unanswered}`,
    `Generator\t[threads, cpu, memory, connections]\t${threads}, ${percent(cpu)}, ${Math.round(memoryMib)}MiB, ${connectionsPeak}`,
  ];
}

function serverLines({ server }: Facts): readonly string[] {
  if (server === undefined) return [];
  const refused = Object.entries(server.refused).map(([reason, count]) => `${reason}:${count}  `);
  return [
    `Server\t[requests, 50, 99]\t${server.requests}, ${durationText(server.p50_ms)}, ${durationText(server.p99_ms)}`,
    `Refused\t[reason:count]\t${refused.join("")}`,
  ];
}

function validityLines({ valid, problems }: Facts): readonly string[] {
  return [
    `Validity\t[problems]\t${valid ? "valid" : "INVALID"}, ${problems.length}`,
    ...problems.map(({ code, text }) => `\t${code}\t${text}`),
  ];
}

function objectiveLines({ objectives }: Facts): readonly string[] {
  if (objectives.length === 0) return [];
  const met = objectives.filter((objective) => objective.met).length;
  return [
    `Objectives\t[met, all]\t${met}, ${objectives.length}`,
    ...objectives.map(
      (one) => `\t${one.objective}\t${one.met ? "met" : "MISSED"}, found ${one.found}`,
    ),
  ];
}

function spreadText(spread: Spread): string {
  const { mean_ms: meanMs, p50_ms: p50Ms, p90_ms: p90Ms, p99_ms: p99Ms, max_ms: maxMs } = spread;
  return [meanMs, p50Ms, p90Ms, p99Ms, spread.p999_ms, spread.p9999_ms, maxMs]
    .map(durationText)
    .join(", ");
}

function durationText(ms: number): string {
  return formatGoDuration(roundGoDuration(Math.round(ms * 1e6)));
}

function percent(share: number): string {
  return `${formatFixed(share * 100, 2)}%`;
}

/** Names and texts of others are printed; the tabs between cells stay. */
function withoutControlsInCells(line: string): string {
  return line.split("\t").map(withoutControls).join("\t");
}
