import { hash, randomBytes } from "node:crypto";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Config, LogConfig } from "./config/config.ts";
import { MemoryTensorCaches } from "./adapters/cache-memory/memory-tensor-caches.ts";
import { systemClock } from "./adapters/clock-system/clock-system.ts";
import type { ThreadFunctions } from "./adapters/functions-thread/functions-thread.ts";
import { createLoggerFor, stderrDestination } from "./adapters/logger-pino/logger-pino.ts";
import { closeLogSink, openLogSink } from "./adapters/logger-pino/log-sink.ts";
import { OnnxRuntime } from "./adapters/runtime-onnx/runtime-onnx.ts";
import { ProcessRuntime } from "./adapters/runtime-process/runtime-process.ts";
import { WorkerRuntime } from "./adapters/runtime-worker/runtime-worker.ts";
import { keyedHashOf } from "./adapters/segments-file/keyed-hash.ts";
import { readLogKey } from "./adapters/segments-file/log-key.ts";
import { ThreadSegmentWriter } from "./adapters/segments-file/thread-segment-writer.ts";
import { newWriterName } from "./adapters/segments-file/writer-name.ts";
import type { LoadedConfig } from "./config/print.ts";
import { FileVersionLedger, MemoryVersionLedger } from "./models/version-ledger.ts";
import { UNITS_FILE } from "./core/experiment/units-file.ts";
import type { KeyedHash } from "./core/predictions/redaction.ts";
import { LOG_FOLDER } from "./core/predictions/log-folder.ts";
import type { LoggerFor } from "./ports/logger.ts";
import type { Runtime } from "./ports/runtime.ts";
import type { StepSources } from "./ports/step-sources.ts";
import type { TensorCaches } from "./ports/tensor-cache.ts";
import type { Tracer } from "./ports/tracer.ts";
import type { ProcessShare } from "./serve/services.ts";
import { checkApplicable } from "./serve/check-applicable.ts";
import {
  LAME_DUCK_MS,
  ServeRole,
  type ExperimentParts,
  type LogParts,
} from "./serve/serve-role.ts";
import { endWithSupervisor, logFatalErrors } from "./supervisor/child-process.ts";
import { IpcPeer } from "./supervisor/ipc-peer.ts";
import { LogKeeper } from "./supervisor/log-keeper.ts";
import type {
  ConfigOrder,
  RepositoryOrder,
  StartOrder,
  StartReport,
} from "./supervisor/serve-process.ts";
import { Supervisor } from "./supervisor/supervisor.ts";

/** The composition root: the only file that names concrete parts. */

export function createRuntime(): Runtime {
  return new OnnxRuntime();
}

/** The same runtime, with every model on a thread of its own. */
export function createWorkerRuntime(): Runtime {
  const { name, platform } = createRuntime();
  const entry = new URL(`runtime-worker-entry.${extensionHere()}`, import.meta.url);
  return new WorkerRuntime({ name, platform, entry });
}

/** Runs programs that speak the Open Inference Protocol, each a process of its own. */
export function createProcessRuntime(loggerFor: LoggerFor): Runtime {
  return new ProcessRuntime({
    log: loggerFor("program"),
    environment: process.env,
    pythonFolder: join(import.meta.dirname, "../python"),
  });
}

export interface Logging {
  readonly loggerFor: LoggerFor;
  /** Takes a finished line of another process. */
  readonly writeLine: (line: string) => void;
  /** Writes out what is buffered; nothing may be logged afterwards. */
  readonly close: () => Promise<void>;
}

/** The log of the process that owns the log file or the terminal. */
export async function createLogging(log: LogConfig): Promise<Logging> {
  const sink = await openLogSink(log);
  const write = (line: string): void => void sink.write(line);
  const base = { pid: process.pid };
  return {
    loggerFor: createLoggerFor({ levels: log.levels, base, destination: { write } }),
    writeLine: (line) => write(`${line}\n`),
    close: () => closeLogSink(sink),
  };
}

/**
 * The serve role in this process; it does not listen yet, and its models are not loaded.
 * @throws NOT_IMPLEMENTED when the cache or the traces need a package that is not installed.
 */
export async function createServeRole(
  config: Config,
  loggerFor: LoggerFor,
  share: ProcessShare = { index: 0, processes: 1 },
): Promise<ServeRole> {
  const { stateDir } = config;
  const coreCount = Math.max(1, Math.floor(availableParallelism() / share.processes));
  const functions = createFunctions(loggerFor);
  return new ServeRole(config, {
    runtimes: {
      onnx: { inline: createRuntime(), worker: createWorkerRuntime() },
      process: { inline: undefined, worker: createProcessRuntime(loggerFor) },
    },
    sources: createStepSources(loggerFor, coreCount, functions),
    openComparator: async (path) => (await functions()).compare(path),
    caches: await createTensorCaches(config, loggerFor),
    experiments: createExperimentParts(config, loggerFor),
    log: createLogParts(config, share),
    tracer: await createTracer(config, share, loggerFor),
    sha256: (bytes) => hash("sha256", bytes, "hex"),
    coreCount,
    share,
    ledger:
      stateDir === undefined
        ? new MemoryVersionLedger()
        : new FileVersionLedger(join(stateDir, "versions"), loggerFor("models")),
    clock: systemClock,
    random: randomBytes,
    loggerFor,
    downloadFolder: join(stateDir ?? join(tmpdir(), "millrace"), "models"),
  });
}

/** What steps are made from. Most files need none of it, so each part is imported when a step asks for it. */
function createStepSources(
  loggerFor: LoggerFor,
  coreCount: number,
  functions: () => Promise<ThreadFunctions>,
): StepSources {
  const clock = systemClock;
  const images = onceOnly(async () => {
    const { SharpImages } = await import("./adapters/image-sharp/image-sharp.ts");
    return new SharpImages({ coreCount });
  });
  return {
    image: async (name, options) => (await images()).image(name, options),
    function: async (name, options) => (await functions()).function(name, options),
    load: async (name, options) => (await functions()).load(name, options),
    combine: async (path) => (await functions()).combine(path),
    remote: async (name, options) => {
      const { openRemote } = await import("./adapters/remote-http/remote-http.ts");
      return openRemote(name, options, { clock, random: Math.random, log: loggerFor("remote") });
    },
  };
}

/** Runs code of the user; imported when a step or a comparison of the file is one. */
function createFunctions(loggerFor: LoggerFor): () => Promise<ThreadFunctions> {
  return onceOnly(async () => {
    const { ThreadFunctions } = await import("./adapters/functions-thread/functions-thread.ts");
    const entry = new URL(`function-thread-entry.${extensionHere()}`, import.meta.url);
    return new ThreadFunctions({ entry, clock: systemClock, loggerFor });
  });
}

async function createTensorCaches(
  { cacheStore }: Config,
  loggerFor: LoggerFor,
): Promise<TensorCaches> {
  if (cacheStore.kind === "memory") return new MemoryTensorCaches(systemClock);
  const { RedisTensorCaches } = await import("./adapters/cache-redis/redis-tensor-caches.ts");
  const { url } = cacheStore;
  return RedisTensorCaches.open({
    url,
    clock: systemClock,
    log: loggerFor("cache"),
    random: Math.random,
  });
}

/** Predictions are logged beside what else is kept; without such a folder they are not. */
function createLogParts({ stateDir, log }: Config, { index }: ProcessShare): LogParts | undefined {
  if (stateDir === undefined || log.sink === "off") return undefined;
  const folder = join(stateDir, LOG_FOLDER);
  const node = newWriterName(index, systemClock.wallMs());
  let first: string | undefined = node;
  const newWriter = (): string => {
    const name = first ?? newWriterName(index, systemClock.wallMs());
    first = undefined;
    return name;
  };
  return {
    node,
    hash: logHashOf(folder, log.key),
    openWriter: (events) => {
      const { durability, rollMs, walBytesMax, diskFreeMin } = log;
      const entry = new URL(`segment-writer-entry.${extensionHere()}`, import.meta.url);
      const limits = { durability, rollMs, walBytesMax, diskFreeMin };
      return new ThreadSegmentWriter({
        ...limits,
        entry,
        folder,
        newWriter,
        clock: systemClock,
        events,
      });
    },
  };
}

/** The first one who asks makes the key: where nothing is hashed there is none. */
function logHashOf(logFolder: string, key: string | undefined): KeyedHash {
  let hash: KeyedHash | undefined;
  return (text) => (hash ??= keyedHashOf(readLogKey(logFolder, key)))(text);
}

/** Units keep their arms in the state folder; without one, as long as the process lasts. */
function createExperimentParts({ stateDir, log }: Config, loggerFor: LoggerFor): ExperimentParts {
  if (stateDir === undefined) {
    return {
      phases: new MemoryVersionLedger(),
      hash: keyedHashOf(randomBytes(32)),
      async openSticky(onTrouble) {
        const { MemoryStickyStore } =
          await import("./adapters/sticky-store-memory/sticky-store-memory.ts");
        return new MemoryStickyStore({ onTrouble });
      },
    };
  }
  return {
    phases: new FileVersionLedger(join(stateDir, "phases"), loggerFor("experiments")),
    hash: logHashOf(join(stateDir, LOG_FOLDER), log.key),
    async openSticky(onTrouble) {
      const { SqliteStickyStore } =
        await import("./adapters/sticky-store-sqlite/sticky-store-sqlite.ts");
      const path = join(stateDir, UNITS_FILE);
      return new SqliteStickyStore({ path, clock: systemClock, onTrouble });
    },
  };
}

/** Spans go to the collector that the file names; undefined where it names none, and nothing of it is loaded. */
async function createTracer(
  { name, traces }: Config,
  { index }: ProcessShare,
  loggerFor: LoggerFor,
): Promise<Tracer | undefined> {
  if (traces === undefined) return undefined;
  const { openOtlpTracer } = await import("./adapters/traces-otlp/open-otlp-tracer.ts");
  const { endpoint, headers } = traces;
  return openOtlpTracer({
    endpoint,
    headers,
    serviceName: name,
    processIndex: index,
    clock: systemClock,
    log: loggerFor("traces"),
  });
}

/** @returns what `make` gave the first time. */
function onceOnly<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** Serve processes a file asks for: one per core, unless the models' threads already fill the cores. */
export function processCountOf(config: Config): number {
  if (config.server.processes !== "auto") return config.server.processes;
  const threads = Math.max(1, ...Object.values(config.models).map((model) => model.threads));
  return Math.max(1, Math.floor(availableParallelism() / threads));
}

/** @param config what `file` says, on ports that are free. */
export function createSupervisor(
  file: LoadedConfig,
  config: Config,
  { loggerFor, writeLine }: Logging,
): Supervisor {
  return new Supervisor(file, config, {
    clock: systemClock,
    log: loggerFor("supervisor"),
    entry: join(import.meta.dirname, `serve-process-entry.${extensionHere()}`),
    controlEntry: join(import.meta.dirname, `control-process-entry.${extensionHere()}`),
    logKeeper: createLogKeeper({ loggerFor, writeLine }),
    processCount: processCountOf(config),
    onLine: writeLine,
    checkApplicable,
  });
}

/** Keeps the log process beside what serves. @param isDetached may the program end while it runs? */
export function createLogKeeper(
  { loggerFor, writeLine }: Pick<Logging, "loggerFor" | "writeLine">,
  isDetached = false,
): LogKeeper {
  return new LogKeeper({
    clock: systemClock,
    log: loggerFor("supervisor"),
    entry: join(import.meta.dirname, `log-process-entry.${extensionHere()}`),
    onLine: writeLine,
    isDetached,
  });
}

/** What a supervised serve process runs: it waits for orders, and ends when its supervisor is gone. */
export function runServeProcess(): void {
  let role: ServeRole | undefined;
  const mustRole = (): ServeRole => {
    if (role === undefined) throw new Error("Cannot obey: the process has not been started yet");
    return role;
  };
  const stop = async (lameDuckMs: number): Promise<void> => {
    await role?.stop(lameDuckMs);
    process.exit(0);
  };
  const peer = new IpcPeer(process, {
    async start(order: StartOrder): Promise<StartReport> {
      const { config, overrideVersion, index, processes, isRestart } = order;
      const base = { pid: process.pid, process: index };
      const destination = stderrDestination();
      const loggerFor = createLoggerFor({ levels: config.server.log.levels, base, destination });
      logFatalErrors(loggerFor);
      role = await createServeRole(config, loggerFor, { index, processes });
      role.plane.overrideVersion = overrideVersion;
      const repository = {
        load: (model: string) => peer.call<void>("repository", { action: "load", model }),
        unload: (model: string) => peer.call<void>("repository", { action: "unload", model }),
      };
      if (isRestart) await role.loadModels();
      const ports = await role.listen({ isShared: true, repository });
      if (!isRestart) await role.loadModels();
      return { ...ports, ...role.status() };
    },
    async apply({ config, overrideVersion }: ConfigOrder) {
      await mustRole().apply(config, overrideVersion);
      return mustRole().status();
    },
    async prepare({ config, overrideVersion }: ConfigOrder) {
      await mustRole().prepare(config, overrideVersion);
    },
    commit: () => Promise.resolve(mustRole().commit()),
    abort: () => Promise.resolve(mustRole().abort()),
    status: () => Promise.resolve(mustRole().status()),
    explain: (predictionId: string) => Promise.resolve(mustRole().explain(predictionId)),
    metrics: () => Promise.resolve(mustRole().metrics()),
    repository: ({ action, model }: RepositoryOrder) => mustRole().localRepository[action](model),
    stop,
  });
  endWithSupervisor(
    () => stop(LAME_DUCK_MS),
    () => stop(0),
  );
}

/** Entries lie beside this file, in the sources as in what is built of them. */
function extensionHere(): "ts" | "js" {
  return import.meta.url.endsWith(".ts") ? "ts" : "js";
}
