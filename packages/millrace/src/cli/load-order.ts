import { resolve } from "node:path";
import type { ConnectPlan, LoadPlan } from "../load-test/load-plan.ts";
import { UsageError, type CommandIo, type CommandLine } from "./command.ts";
import { Flags } from "./flags.ts";
import { LOAD_OPTIONS, whyRefused } from "./load-options.ts";
import { readCapacity, type CapacityOrder } from "./load-capacity-order.ts";
import { readMessage, type MessageOrder } from "./load-message-order.ts";
import { readLoadOutputs, type LoadOutputs } from "./load-outputs-order.ts";
import { refuseUnknown } from "./refuse-unknown.ts";
import { readTargetOrder, type TargetOrder } from "./load-target-order.ts";

/** What a command line asks to be sent, when, and what is left of it. Nothing of it was looked at yet but the words. */
export interface LoadOrder {
  readonly name: string | undefined;
  readonly target: TargetOrder;
  readonly message: MessageOrder;
  readonly protocol: ProtocolOrder;
  readonly arrivals: ArrivalsOrder;
  /** Infinity: until it is interrupted; undefined: nobody said. */
  readonly durationMs: number | undefined;
  readonly sending: SendingOrder;
  /** undefined: as many as the rate needs. */
  readonly threads: number | undefined;
  readonly tls: TlsOrder;
  /** As it was typed: `p99<50ms,errors<0.1%`. */
  readonly objectives: string | undefined;
  readonly capacity: CapacityOrder | undefined;
  readonly outputs: LoadOutputs;
  readonly isQuiet: boolean;
}

/** What a plan has as it was typed. */
type SendingOrder = Pick<
  LoadPlan,
  | "warmupMs"
  | "timeoutMs"
  | "connectionsAtStart"
  | "connectionsMax"
  | "connectionsKept"
  | "keepAlive"
  | "connect"
  | "seed"
>;

/** `grpc`: the Open Inference Protocol. */
export type ProtocolOrder =
  | { readonly kind: "http"; readonly http2: "if it has it" | "never" | "in clear" }
  | { readonly kind: "grpc" };

/** As it was typed. */
export interface ArrivalsOrder {
  readonly rate: string | undefined;
  readonly profile: string | undefined;
  readonly arrivals: string | undefined;
  readonly clients: string | undefined;
  readonly think: string | undefined;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly speed: string | undefined;
  readonly maxWorkers: number | undefined;
}

export interface TlsOrder {
  readonly isInsecure: boolean;
  readonly rootFiles: readonly string[];
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
}

const DURATION_MS_MAX = 30 * 24 * 3_600_000;
const WARMUP_MS = 1_000;
const WARMUP_MS_MAX = 3_600_000;
const TIMEOUT_MS = 30_000;
const TIMEOUT_MS_MAX = 3_600_000;
const WORKERS = 10;
const CONNECTIONS_MAX = 10_000;
/** Ports of one address to another. */
const CONNECTIONS_LIMIT = 60_000;
const THREADS_LIMIT = 128;
const OF_A_REPLAY = ["since", "until", "speed"];
const NOT_OF_A_REPLAY = ["rate", "profile", "clients", "think", "body", "data", "batch"];
const SEED = 1;
const SEED_MAX = 2 ** 32 - 1;

/** @throws UsageError for what is missing, wrong, or does not go together. */
export function readLoadOrder(line: CommandLine, io: CommandIo): LoadOrder {
  const why = line.configFlags.map(whyRefused).find((text) => text !== undefined);
  if (why !== undefined) throw new UsageError(why);
  refuseUnknown(line, LOAD_OPTIONS);
  const flags = new Flags(line);
  const durationMs = flags.duration("duration", 0, DURATION_MS_MAX);
  const maxWorkers = flags.count("max-workers", 1, CONNECTIONS_LIMIT);
  const target = readTargetOrder(line, flags, io.cwd);
  return {
    name: flags.text("name"),
    target,
    message: readMessage(flags, target, io.cwd),
    protocol: readProtocol(flags),
    arrivals: readArrivalWords(flags, maxWorkers),
    durationMs: durationMs === 0 ? Infinity : durationMs,
    sending: readSending(flags, maxWorkers, io.cwd),
    threads: flags.count("threads", 1, THREADS_LIMIT),
    tls: readTls(flags, io.cwd),
    objectives: flags.text("slo"),
    capacity: readCapacity(flags, target),
    outputs: readLoadOutputs(flags, io.cwd),
    isQuiet: flags.has("quiet"),
  };
}

function readSending(flags: Flags, maxWorkers: number | undefined, cwd: string): SendingOrder {
  const most = flags.count("max-connections", 1, CONNECTIONS_LIMIT);
  const connectionsMax = Math.min(most ?? maxWorkers ?? CONNECTIONS_MAX, maxWorkers ?? Infinity);
  const workers = flags.count("workers", 0, CONNECTIONS_LIMIT) ?? WORKERS;
  return {
    warmupMs: flags.duration("warmup", 0, WARMUP_MS_MAX) ?? WARMUP_MS,
    timeoutMs: flags.duration("timeout", 1, TIMEOUT_MS_MAX) ?? TIMEOUT_MS,
    connectionsAtStart: Math.min(workers, connectionsMax),
    connectionsMax,
    connectionsKept: flags.count("connections", 1, CONNECTIONS_LIMIT) ?? CONNECTIONS_MAX,
    keepAlive: flags.isOn("keepalive", true),
    connect: readConnect(flags, cwd),
    seed: flags.count("seed", 0, SEED_MAX) ?? SEED,
  };
}

function readProtocol(flags: Flags): ProtocolOrder {
  const kind = flags.choice("protocol", ["http", "grpc"]) ?? "http";
  const isClear = flags.isOn("h2c", false);
  const isWanted = flags.isOn("http2", true);
  if (isClear && !isWanted) throw new UsageError("--h2c is HTTP/2: it goes without --http2=false");
  if (kind === "grpc") {
    if (isWanted) return { kind };
    throw new UsageError("--protocol grpc is HTTP/2: it goes without --http2=false");
  }
  if (isClear) return { kind, http2: "in clear" };
  return { kind, http2: isWanted ? "if it has it" : "never" };
}

function readArrivalWords(flags: Flags, maxWorkers: number | undefined): ArrivalsOrder {
  const names = [
    "rate",
    "profile",
    "arrivals",
    "clients",
    "think",
    "since",
    "until",
    "speed",
  ] as const;
  const [rate, profile, arrivals, clients, think, since, until, speed] = names.map((name) =>
    flags.text(name),
  );
  const isReplay = arrivals === "replay";
  const name = (isReplay ? NOT_OF_A_REPLAY : OF_A_REPLAY).find((other) => flags.has(other));
  if (name !== undefined) {
    const what = isReplay
      ? "is not for --arrivals replay: the log has it"
      : "goes with --arrivals replay";
    throw new UsageError(`--${name} ${what}`);
  }
  return { rate, profile, arrivals, clients, think, since, until, speed, maxWorkers };
}

function readTls(flags: Flags, cwd: string): TlsOrder {
  const certificate = flags.text("cert");
  const key = flags.text("key");
  if (key !== undefined && certificate === undefined) {
    // Its value may be the secret of a Millrace, which --key is elsewhere.
    throw new UsageError(
      "--key is the file of the private key that belongs to --cert; the key of a Millrace comes in MILLRACE_KEY, or as --header 'authorization: Bearer …'",
    );
  }
  const rootFiles = flags.text("root-certs")?.split(",") ?? [];
  const keyFile = key ?? certificate;
  return {
    isInsecure: flags.isOn("insecure", false),
    rootFiles: rootFiles.map((path) => resolve(cwd, path)),
    certificateFile: certificate === undefined ? undefined : resolve(cwd, certificate),
    keyFile: keyFile === undefined ? undefined : resolve(cwd, keyFile),
  };
}

function readConnect(flags: Flags, cwd: string): ConnectPlan {
  const unixSocket = flags.text("unix-socket");
  return {
    localAddress: flags.text("laddr"),
    unixSocket: unixSocket === undefined ? undefined : resolve(cwd, unixSocket),
  };
}
