import { writeFile } from "node:fs/promises";
import { didYouMean } from "../config/did-you-mean.ts";
import type { Config, ServiceConfig } from "../config/config.ts";
import { messageOf } from "../core/message-of.ts";
import { createServeRole } from "../main.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import { createCandidate, type Candidate } from "../replay/candidate.ts";
import { chooseComparator } from "../replay/choose-comparator.ts";
import { htmlReport } from "../replay/html-report.ts";
import { inputNamesOf } from "../replay/input-names.ts";
import { LoggedTraffic } from "../replay/logged-traffic.ts";
import type { ReplayReport } from "../replay/replay-report.ts";
import { Replayer } from "../replay/replayer.ts";
import { textReport } from "../replay/text-report.ts";
import type { ServeRole } from "../serve/serve-role.ts";
import { UsageError, type Command, type CommandIo, type ExitCode } from "./command.ts";
import { loadFor } from "./config-session.ts";
import { interruptible } from "./interruptible.ts";
import { ProgressBar } from "./progress-bar.ts";
import { QUERY_OPTIONS, withQueryEngine } from "./query-engine-of.ts";
import { readReplayOrder, REPLAY_OPTIONS, type ReplayOrder } from "./replay-order.ts";
import { SILENT } from "./silent-logger.ts";

export const replay: Command = {
  summary: "send logged requests to a candidate and compare what it predicts",
  usage: "replay [file] --service NAME --candidate MODEL [--since 24h] [--output report.html]",
  options: { ...REPLAY_OPTIONS, ...QUERY_OPTIONS },
  examples: [
    "replay --service iris --candidate iris-rf",
    "replay --service iris --candidate ./new.onnx --since 7d --min-agreement 99% --output report.html",
    "replay --service price --candidate price@4 --compare tolerance --tolerance 0.01 --speed 10",
  ],
  async run(line, io) {
    const order = await readReplayOrder(line, io, Date.now());
    const loaded = await loadFor(line, io);
    if (loaded === undefined) return 2;
    const { config } = loaded;
    const service = serviceOf(config, order.service);
    const candidate = candidateOf(config, service, order);
    const isJson = line.options.has("json");
    const { file } = config;
    const options =
      file === undefined ? line.options : new Map([...line.options, ["config", file]]);
    const queryLine = { ...line, positionals: [], options };
    return withQueryEngine(queryLine, io, async (engine) =>
      withCandidate(candidate, io, async (role) => {
        const source = { engine, role, config, service, candidate };
        const { result: report, isInterrupted } = await interruptible((signal) =>
          runReplay(order, source, { io, signal }),
        );
        io.stdout.write(isJson ? `${JSON.stringify(report)}\n` : textReport(report));
        const isWritten = await writePage(report, order.output, io);
        if (isInterrupted) return 130;
        return isEnough(report, order, io) && isWritten ? 0 : 1;
      }),
    );
  },
};

function serviceOf(config: Config, name: string): ServiceConfig {
  const service = config.services[name];
  if (service === undefined) throw unknown("service", name, Object.keys(config.services));
  return service;
}

function candidateOf(config: Config, service: ServiceConfig, order: ReplayOrder): Candidate {
  const { candidate, candidateText } = order;
  const found = createCandidate(config, service, candidate);
  if (found !== undefined) return found;
  if (candidate.kind === "name")
    throw unknown("candidate", candidate.name, Object.keys(config.services));
  throw new UsageError(
    `--candidate ${candidateText}: service "${service.name}" runs a graph, which a model file cannot take the place of; add it to the file as a model`,
  );
}

function unknown(option: string, name: string, known: readonly string[]): UsageError {
  const nearest = didYouMean(name, known);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new UsageError(
    `--${option}: the file has no model or service "${name}", it has ${known.join(", ")}${hint}`,
  );
}

/** Loads the candidate into this process, without sockets, and frees it. */
async function withCandidate(
  { config, service }: Candidate,
  io: CommandIo,
  use: (role: ServeRole) => Promise<ExitCode>,
): Promise<ExitCode> {
  const role = await createServeRole(config, () => SILENT);
  // Neither the role's timers nor those of a pace keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  try {
    await role.loadModels();
    if (role.plane.predictorsOf(role.plane.services.get(service)).length === 0) {
      const reasons = role.readiness.problems().join("; ");
      io.stderr.write(`Cannot replay: the candidate does not load: ${reasons}\n`);
      return 1;
    }
    return await use(role);
  } finally {
    clearInterval(alive);
    await role.stop(0);
  }
}

interface ReplaySource {
  readonly engine: QueryEngine;
  readonly role: ServeRole;
  readonly config: Config;
  readonly service: ServiceConfig;
  readonly candidate: Candidate;
}

/** @throws UsageError for a comparison that the candidate does not allow; MillraceError when it is not there. */
async function runReplay(
  order: ReplayOrder,
  { engine, role, config, service, candidate }: ReplaySource,
  { io, signal }: { readonly io: CommandIo; readonly signal: AbortSignal },
): Promise<ReplayReport> {
  const { plane } = role;
  const { version } = candidate;
  const target = plane.target(plane.services.get(candidate.service), { version });
  const { predictor } = target;
  const chosen = chooseComparator(order.compare, predictor);
  if ("problem" in chosen) throw new UsageError(chosen.problem);
  const { fromUs, untilUs, withErrors, speed, concurrency, limit } = order;
  const filter = { service: service.name, fromUs, untilUs, withErrors };
  const traffic = new LoggedTraffic(engine, filter, signal);
  const kinds = await traffic.kinds();
  const total = kinds.reduce(
    (sum, { requests, skipped }) => sum + (skipped === undefined ? requests : 0),
    0,
  );
  const bar = new ProgressBar(io.stderr, Math.min(total, limit), plane.clock);
  const replayed = await new Replayer({
    plane,
    target,
    names: inputNamesOf(config, service, predictor),
    compare: chosen.compare,
    speed,
    concurrency,
    limit,
    signal,
    onRequest: (readCount) => (bar.done = readCount),
  }).run(traffic.requests(), kinds);
  bar.end();
  return {
    service: service.name,
    candidate: { name: order.candidateText, model: predictor.id, digest: predictor.digest },
    from: new Date(fromUs / 1000).toISOString(),
    until: new Date(untilUs / 1000).toISOString(),
    speed,
    compare: chosen.name,
    ...replayed,
  };
}

/** @returns false after it has said why it cannot be written. */
async function writePage(
  report: ReplayReport,
  path: string | undefined,
  io: CommandIo,
): Promise<boolean> {
  if (path === undefined) return true;
  try {
    await writeFile(path, htmlReport(report));
    return true;
  } catch (error) {
    io.stderr.write(`Cannot write the report: ${messageOf(error)}\n`);
    return false;
  }
}

/** Says so when it is not. */
function isEnough(
  { agreement: { low } }: ReplayReport,
  { agreementMin }: ReplayOrder,
  io: CommandIo,
): boolean {
  if (agreementMin === undefined || (low !== undefined && low >= agreementMin)) return true;
  const found =
    low === undefined ? "nothing was compared" : `it is above ${(low * 100).toFixed(2)} %`;
  io.stderr.write(`Agreement is not known to be above ${agreementMin * 100} %: ${found}\n`);
  return false;
}
