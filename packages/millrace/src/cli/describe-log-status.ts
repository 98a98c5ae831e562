import type { LogStatusAnswer, SinkAnswer, TableAnswer } from "../control/log-status-json.ts";

/**
 * How the log is, as a person reads it.
 * @param isAtRest nothing runs that would ship it.
 */
export function describeLogStatus(status: LogStatusAnswer, isAtRest: boolean): string {
  const { segments, unclean_writers: unclean, damaged_blocks: damaged } = status;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["folder", status.folder],
    ["state", stateText(status, isAtRest)],
    ["segments", `${count(segments.count, "segment")}, ${sizeText(segments.bytes)}`],
    ...status.sinks.map((sink) => [`to ${sink.name}`, sinkText(sink, isAtRest)] as const),
    ...status.tables.map((table) => [table.name, tableText(table)] as const),
    ["left out", countsText(status.dropped)],
    ["no payload", countsText(status.without_payload)],
    ["killed", unclean === 0 ? undefined : count(unclean, "process", "processes")],
    ["damaged", damaged === 0 ? undefined : count(damaged, "block")],
  ];
  const shown = facts.filter(([, text]) => text !== undefined);
  return shown.map(([name, text]) => `${name.padEnd(12)} ${text ?? ""}\n`).join("");
}

function stateText({ problem, shipping }: LogStatusAnswer, isAtRest: boolean): string {
  if (problem !== null) return `nothing is shipped: ${problem}`;
  if (isAtRest) return "nothing runs";
  return shipping ? "is shipped" : "is shipped by another Millrace";
}

/** Those that happened: `ring 12, disk 3`. */
function countsText(counts: Readonly<Record<string, number>> = {}): string | undefined {
  const known = Object.entries(counts).filter(([, number]) => number > 0);
  if (known.length === 0) return undefined;
  return known.map(([reason, number]) => `${reason} ${number}`).join(", ");
}

function sinkText(sink: SinkAnswer, isAtRest: boolean): string {
  const { rows, lag_seconds: lag, waiting, errors, problem, unreadable, set_aside: aside } = sink;
  const parts = [
    ...(isAtRest ? [] : [`${count(rows, "row")} since its start`]),
    waiting.bytes === 0 ? "nothing waits" : `${sizeText(waiting.bytes)} wait, ${lagText(lag)}`,
    ...(errors === 0 ? [] : [count(errors, "failure")]),
    ...(unreadable === 0 ? [] : [`${count(unreadable, "record")} unreadable`]),
    ...(aside === 0 ? [] : [`${count(aside, "segment")} set aside`]),
    ...(problem === null ? [] : [`FAILS: ${problem}`]),
  ];
  return parts.join(", ");
}

function lagText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s behind`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min behind`;
  return `${Math.round(seconds / 3_600)} h behind`;
}

function tableText({ files, bytes, oldest, newest }: TableAnswer): string {
  if (oldest === null || newest === null) return "no file";
  const days = oldest === newest ? oldest : `${oldest} to ${newest}`;
  return `${count(files, "file")}, ${sizeText(bytes)}, ${days}`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `1.4 MiB` */
function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? ""}`;
}
