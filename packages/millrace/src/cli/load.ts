import { arrivalsText } from "../core/load/arrivals-text.ts";
import type { LoadReport } from "../core/load/load-report.ts";
import { withoutControls } from "../core/without-controls.ts";
import { LoadInputError } from "../load-test/load-input-error.ts";
import { measureLoad, type MeasureLoadOptions } from "../load-test/measure-load.ts";
import { ServerWatch } from "../load-test/server-watch.ts";
import type { ResultsWriter } from "../load-test/results/results-writer.ts";
import { loadTextReport } from "../load-test/reports/load-text-report.ts";
import {
  UsageError,
  type Command,
  type CommandIo,
  type CommandLine,
  type ExitCode,
} from "./command.ts";
import { interruptible } from "./interruptible.ts";
import { asFailure, LoadFailure } from "./load-failure.ts";
import { searchCapacity } from "./load-capacity.ts";
import { openLiveView } from "./open-live-view.ts";
import { LOAD_OPTIONS } from "./load-options.ts";
import { readLoadOrder, type LoadOrder } from "./load-order.ts";
import { checkOutputs, closeResults, openResults, writeReports } from "./load-outputs.ts";
import { makeLoadJob, type LoadJob } from "./make-load-plan.ts";
import { shownCommand } from "./shown-command.ts";

/** Of a test without an end, which ends in order: nothing more is sent. */
const WAITING = "Waiting for the last answers; Ctrl-C again ends at once, without a report";

export const load: Command = {
  summary: "load test: requests at a stated rate, and what callers wait",
  usage: "load SERVICE | URL | --targets FILE [--rate 500] [--duration 60s] [--slo 'p99<50ms']",
  options: LOAD_OPTIONS,
  hasOwnFlags: true,
  examples: [
    "load iris --rate 500",
    "load iris --rate 1000 --duration 60s --slo 'p99<50ms,errors<0.1%' --html report.html",
    "load iris --find-capacity --slo 'p99<50ms' --apply",
    "load http://localhost:8000/predict --body body.json --rate 200 --arrivals poisson",
    "load --targets targets.txt --rate 100 --output results.csv",
  ],
  async run(line, io) {
    const order = readLoadOrder(line, io);
    try {
      const job = await prepare(order, line, io);
      const run = order.capacity === undefined ? measure : searchCapacity;
      return await run(job, order, shownCommand("load", line), io);
    } catch (error) {
      if (!(error instanceof LoadFailure)) throw error;
      if (error.message !== "") io.stderr.write(`${withoutControls(error.message)}\n`);
      return error.exitCode;
    }
  },
};

/** All that can be wrong with what was typed is found here, before anything is sent. */
async function prepare(order: LoadOrder, line: CommandLine, io: CommandIo): Promise<LoadJob> {
  try {
    const job = await makeLoadJob(order, line, io);
    await checkOutputs(order.outputs);
    return job;
  } catch (error) {
    throw error instanceof LoadInputError ? new UsageError(error.message) : error;
  }
}

async function measure(
  job: LoadJob,
  { outputs, isQuiet }: LoadOrder,
  command: string,
  io: CommandIo,
): Promise<ExitCode> {
  const { plan } = job;
  let results: ResultsWriter | undefined;
  const view = isQuiet ? undefined : openLiveView(io);
  view?.begin({
    title: `${plan.name}: ${arrivalsText(plan.arrivals)}`,
    durationMs: plan.durationMs,
  });
  const say = (line: string): void => {
    if (view === undefined) io.stderr.write(`${line}\n`);
    else view.print(line);
  };
  const { result: report, isInterrupted } = await interruptible((signal) => {
    if (plan.durationMs === Infinity) signal.addEventListener("abort", () => say(WAITING));
    return runAndWatch(job, {
      command,
      signal,
      onBegin: (startedAtMs) => {
        // Not before: results of another day stay where they are when nobody answers.
        results ??= openResults(outputs.results, plan);
        view?.measureFrom(startedAtMs);
      },
      onResults: (block, startedAtMs) => results?.add(block, startedAtMs),
      onWindow: (window, totals) => view?.add(window, totals),
    }).catch(asFailure);
  }).finally(() => view?.end());
  const isAllKept = await closeResults(results, io);
  const text = outputs.isStdoutTaken ? io.stderr : io.stdout;
  text.write(`${loadTextReport(report).trimEnd()}\n`);
  const isWritten = await writeReports(report, outputs, io);
  // Without an end it was told to run until then.
  if (isInterrupted && plan.durationMs !== Infinity) return 130;
  return isPassed(report, io) && isAllKept && isWritten ? 0 : 1;
}

/** The run, and what the server says of the same time. */
async function runAndWatch(
  { plan, objectives, service }: LoadJob,
  options: Omit<MeasureLoadOptions, "plan" | "objectives">,
): Promise<LoadReport> {
  if (service?.metricsUrl === undefined) return measureLoad({ ...options, plan, objectives });
  const watch = new ServerWatch({ metricsUrl: service.metricsUrl, service: service.name });
  const report = await measureLoad({
    ...options,
    plan,
    objectives,
    onBegin: (startedAtMs) => {
      watch.begin(startedAtMs);
      options.onBegin?.(startedAtMs);
    },
  });
  const server = await watch.end();
  return server === undefined ? report : { ...report, millrace: { ...report.millrace, server } };
}

/** A test that nobody can rely on meets no objective. @returns false after it has said why. */
function isPassed({ millrace: { objectives, valid } }: LoadReport, { stderr }: CommandIo): boolean {
  const missed = objectives.filter(({ met }) => !met);
  if (missed.length > 0) {
    const texts = missed.map(({ objective, found }) => `${objective} (found ${found})`);
    stderr.write(`Objectives missed: ${texts.join(", ")}\n`);
    return false;
  }
  if (valid || objectives.length === 0) return true;
  stderr.write("No objective counts as met: the test is invalid, the report says why\n");
  return false;
}
