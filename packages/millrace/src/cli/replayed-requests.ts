import type { Config } from "../config/config.ts";
import type { ArrivalsPlan } from "../core/load/arrivals.ts";
import type { TlsPlan } from "../load-test/load-plan.ts";
import {
  replayArrivals,
  type ReplayedArrivals,
  type ReplayOptions,
} from "../load-test/replay-arrivals.ts";
import { inputNamesOf } from "../replay/input-names.ts";
import { UsageError, type CommandIo, type CommandLine } from "./command.ts";
import { loadFor } from "./config-session.ts";
import { interruptible } from "./interruptible.ts";
import { asFailure, LoadFailure } from "./load-failure.ts";
import type { ArrivalsOrder, LoadOrder } from "./load-order.ts";
import { findService, type LoadedService } from "./load-service.ts";
import type { LoadRequests } from "./make-load-requests.ts";
import { withQueryEngine } from "./query-engine-of.ts";
import { readTime } from "./read-time.ts";
import { requestTo } from "./service-request.ts";

const SINCE = "1h";
const SPEED_MAX = 1_000_000;

/** The requests that came to a service, when they came. @throws UsageError, LoadFailure */
export async function replayedRequests(
  order: LoadOrder,
  tls: TlsPlan,
  line: CommandLine,
  io: CommandIo,
): Promise<LoadRequests & { readonly arrivals: ArrivalsPlan }> {
  const { target, arrivals, message, protocol } = order;
  const { connect } = order.sending;
  if (target.kind !== "service") throw new UsageError("--arrivals replay goes with a service");
  const times = readTimes(arrivals, Date.now());
  const loaded = await loadFor({ ...line, positionals: [] }, io);
  if (loaded === undefined) throw new LoadFailure("", 2);
  const service = await findService(target, message.headers, { tls, connect }, io);
  const form = protocol.kind === "grpc" ? "infer" : "predict";
  const options: ReplayOptions = {
    traffic: { service: service.name, ...times, withErrors: true },
    names: namesOf(loaded.config, service),
    request: requestTo(service, form),
    form,
    speed: readSpeed(arrivals.speed),
  };
  const replayed = await readLog(options, line, io);
  tellWhatIsMissing(replayed, io);
  return { ...replayed, choice: "in-turn", rows: undefined, service };
}

function readTimes(
  { since = SINCE, until }: ArrivalsOrder,
  nowMs: number,
): { readonly fromUs: number; readonly untilUs: number } {
  const fromMs = readTime("since", since, nowMs) ?? nowMs;
  const untilMs = readTime("until", until, nowMs) ?? nowMs;
  if (fromMs >= untilMs) throw new UsageError("--since: expected a time before --until");
  return { fromUs: fromMs * 1000, untilUs: untilMs * 1000 };
}

function readSpeed(text = "1"): number {
  const speed = text.trim() === "" ? NaN : Number(text);
  if (speed > 0 && speed <= SPEED_MAX) return speed;
  throw new UsageError(`--speed: expected a number above 0, found ${JSON.stringify(text)}`);
}

function namesOf(config: Config, service: LoadedService): ReplayOptions["names"] {
  const configured = config.services[service.name];
  if (configured === undefined) {
    throw new UsageError(
      `--arrivals replay: the file has no service "${service.name}", it has ${Object.keys(config.services).join(", ")}`,
    );
  }
  return inputNamesOf(config, configured, {
    inputs: service.inputs,
    inputConfig: (name) => {
      const input = service.inputs.find((known) => known.name === name);
      return { names: input?.names, unit: undefined, range: undefined };
    },
  });
}

/** The log is asked where the control role is, not at the address of the service. */
async function readLog(
  options: ReplayOptions,
  line: CommandLine,
  io: CommandIo,
): Promise<ReplayedArrivals> {
  const config = new Map([...line.options].filter(([name]) => name === "config"));
  const queryLine = { ...line, positionals: [], options: config };
  let replayed: ReplayedArrivals | undefined;
  const exitCode = await withQueryEngine(queryLine, io, async (engine) => {
    const { result, isInterrupted } = await interruptible((signal) =>
      replayArrivals(engine, options, signal).catch(asFailure),
    );
    replayed = result;
    return isInterrupted ? 130 : 0;
  });
  if (replayed === undefined || exitCode !== 0) throw new LoadFailure("", exitCode);
  return replayed;
}

function tellWhatIsMissing(
  { targets, found, skipped, isCut }: ReplayedArrivals,
  { stderr }: CommandIo,
): void {
  for (const { name, count } of skipped) stderr.write(`${count} requests are not sent: ${name}\n`);
  if (isCut) stderr.write(`Only the first ${targets.length} of ${found} requests are sent\n`);
}
