import type { CapacityReport, CapacityStep, StepOutcome } from "../core/load/capacity.ts";
import { applyLimits, limitLines, whyNotApplied } from "../load-test/apply-limits.ts";
import { findCapacity } from "../load-test/find-capacity.ts";
import { capacityPage } from "../load-test/reports/capacity-page.ts";
import { capacityText } from "../load-test/reports/capacity-text.ts";
import type { WatchedServer } from "../load-test/server-watch.ts";
import type { CommandIo, ExitCode } from "./command.ts";
import { ControlClient, ControlError } from "./control-client.ts";
import { figure, percentFigure } from "./figures.ts";
import { interruptible } from "./interruptible.ts";
import type { LoadOrder } from "./load-order.ts";
import { asFailure, LoadFailure } from "./load-failure.ts";
import { writeReport } from "./load-outputs.ts";
import type { LoadedService } from "./load-service.ts";
import type { LoadJob } from "./make-load-plan.ts";
import { openLiveView } from "./open-live-view.ts";
import { terminalStyle } from "./terminal-style.ts";

/**
 * Searches the highest rate that holds, and prints or sets the limits that follow from it.
 * @returns 0 when one was found, and set where that was asked for.
 */
export async function searchCapacity(
  { plan, objectives, service }: LoadJob,
  { outputs, capacity, isQuiet }: LoadOrder,
  command: string,
  io: CommandIo,
): Promise<ExitCode> {
  const change = capacity?.isApplied === true ? await changerOf(service, io) : undefined;
  const view = isQuiet ? undefined : openLiveView(io);
  const { result: report, isInterrupted } = await interruptible((signal) =>
    findCapacity({
      plan,
      objectives,
      isPrecise: capacity?.isPrecise === true,
      command,
      server: watched(service),
      signal,
      onPlan: (text) => view?.print(text),
      onStep: (step) => view?.begin({ title: stepText(step), durationMs: step.durationMs }),
      onBegin: (startedAtMs) => view?.measureFrom(startedAtMs),
      onWindow: (window, totals) => view?.add(window, totals),
      onOutcome: (outcome) => view?.print(outcomeText(outcome)),
    }).catch(asFailure),
  ).finally(() => view?.end());
  const text = outputs.isStdoutTaken ? io.stderr : io.stdout;
  text.write(capacityText(report, terminalStyle(io)));
  const written = [
    await writeReport(outputs.json, () => `${JSON.stringify(report)}\n`, io),
    await writeReport(outputs.html, () => capacityPage(report), io),
  ];
  if (isInterrupted) return 130;
  const isSet = await useLimits({ report, service, change }, { ...io, stdout: text });
  const isFound = report.outcome === "found" || report.outcome === "at_least";
  return isFound && isSet && written.every(Boolean) ? 0 : 1;
}

function watched(service: LoadedService | undefined): WatchedServer | undefined {
  if (service?.metricsUrl === undefined) return undefined;
  return { metricsUrl: service.metricsUrl, service: service.name };
}

function stepText({ phase, rate }: CapacityStep): string {
  return phase === "baseline" ? "baseline, one client" : `${phase} ${figure(rate)}/s`;
}

/** `bisect 812/s: p50 3.1 ms, p99 61.2 ms, errors 0 %: p99<50ms (found 61.2ms)` */
function outcomeText({ step, p50Ms, p99Ms, errors, missed, spoiled }: StepOutcome): string {
  const figures = `p50 ${figure(p50Ms)} ms, p99 ${figure(p99Ms)} ms, errors ${percentFigure(errors)}`;
  const verdict = spoiled ?? (missed.length === 0 ? "holds" : missed.join(", "));
  return `${stepText(step)}: ${figures}: ${verdict}`;
}

type Change = (body: object) => Promise<unknown>;

/** Asked for before the search: what nobody can set is no reason to search for half an hour. @throws LoadFailure */
async function changerOf(service: LoadedService | undefined, io: CommandIo): Promise<Change> {
  const url = service?.controlUrl;
  if (url === undefined) {
    throw new LoadFailure("--apply needs the control role: start the service with millrace up");
  }
  const line = {
    positionals: [],
    options: new Map([["url", url]]),
    values: new Map(),
    configFlags: [],
  };
  const client = await ControlClient.find(line, io);
  return (body) => client.change("PUT", "/api/v1/overrides", body);
}

interface Found {
  readonly report: CapacityReport;
  readonly service: LoadedService | undefined;
  readonly change: Change | undefined;
}

/** Sets them, or prints them for the file. @returns false after it has said why they are not set. */
async function useLimits({ report, service, change }: Found, io: CommandIo): Promise<boolean> {
  if (service === undefined) return true;
  const why = whyNotApplied(report);
  const lines = limitLines(service.name, report);
  if (change === undefined) {
    if (why === undefined) {
      io.stdout.write(`\nFor the file; --apply sets them on the running service:\n\n${lines}`);
    }
    return true;
  }
  try {
    if (why !== undefined) throw new ControlError(why, undefined);
    await applyLimits(service.name, report, change);
    io.stdout.write(`\nSet on the running service, until somebody unsets them:\n\n${lines}`);
    return true;
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    io.stderr.write(`Limits are not set: ${error.message}\n`);
    return false;
  }
}
