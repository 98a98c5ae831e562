import { createWriteStream } from "node:fs";
import { open, stat, writeFile } from "node:fs/promises";
import { stdout } from "node:process";
import { PassThrough, type Writable } from "node:stream";
import { messageOf } from "../core/message-of.ts";
import type { LoadPlan } from "../load-test/load-plan.ts";
import type { LoadReport } from "../core/load/load-report.ts";
import { jsonReport } from "../load-test/reports/json-report.ts";
import { junitReport } from "../load-test/reports/junit-report.ts";
import { loadPage } from "../load-test/reports/load-page.ts";
import { ResultsWriter } from "../load-test/results/results-writer.ts";
import { UsageError, type CommandIo } from "./command.ts";
import type { LoadOutputs, OutputPlace } from "./load-outputs-order.ts";

/** Opens every file before a request is sent: a path that cannot be written is no reason to lose a run. @throws UsageError */
export async function checkOutputs({ json, html, junit, results }: LoadOutputs): Promise<void> {
  const places = { json, html, junit, output: results };
  for (const [name, place] of Object.entries(places)) {
    if (place?.kind !== "file") continue;
    try {
      // Opening a named pipe waits for its reader, and closing it is all that would read.
      const there = await stat(place.path).catch(() => undefined);
      if (there?.isFIFO() === true) continue;
      await (await open(place.path, "a")).close();
    } catch (error) {
      throw new UsageError(`--${name}: ${messageOf(error)}`);
    }
  }
}

/** Where every result goes; undefined where it was not asked for. */
export function openResults(
  place: OutputPlace | undefined,
  { name, targets }: LoadPlan,
): ResultsWriter | undefined {
  if (place === undefined) return undefined;
  const isCsv = place.kind === "file" && place.path.toLowerCase().endsWith(".csv");
  const output = place.kind === "file" ? createWriteStream(place.path) : toStdout();
  return new ResultsWriter(output, { format: isCsv ? "csv" : "json", attack: name, targets });
}

/** The standard output stays open when the results end. */
function toStdout(): Writable {
  const stream = new PassThrough();
  stream.pipe(stdout, { end: false });
  return stream;
}

/** Closes it. @returns false after it has said what is missing. */
export async function closeResults(
  writer: ResultsWriter | undefined,
  { stderr }: CommandIo,
): Promise<boolean> {
  if (writer === undefined) return true;
  try {
    const { leftOut } = await writer.close();
    if (leftOut === 0) return true;
    stderr.write(
      `Cannot write all results: ${leftOut} were left out, --output could not keep up\n`,
    );
  } catch (error) {
    stderr.write(`Cannot write the results: ${messageOf(error)}\n`);
  }
  return false;
}

/** Writes what was asked for. @returns false after it has said what could not be written. */
export async function writeReports(
  report: LoadReport,
  { json, html, junit }: LoadOutputs,
  io: CommandIo,
): Promise<boolean> {
  const written = [
    await writeReport(json, () => `${jsonReport(report).trimEnd()}\n`, io),
    await writeReport(html, () => loadPage(report), io),
    await writeReport(junit, () => junitReport(report), io),
  ];
  return written.every(Boolean);
}

/** @returns false after it has said that it cannot be written. */
export async function writeReport(
  place: OutputPlace | undefined,
  textOf: () => string | Promise<string>,
  { stdout: output, stderr }: CommandIo,
): Promise<boolean> {
  if (place === undefined) return true;
  try {
    const text = await textOf();
    if (place.kind === "stdout") output.write(text);
    else await writeFile(place.path, text);
    return true;
  } catch (error) {
    stderr.write(`Cannot write the report: ${messageOf(error)}\n`);
    return false;
  }
}
