import { randomBytes } from "node:crypto";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Config, LogConfig } from "./config/config.ts";
import { systemClock } from "./adapters/clock-system/clock-system.ts";
import { createLoggerFor, stderrDestination } from "./adapters/logger-pino/logger-pino.ts";
import { closeLogSink, openLogSink } from "./adapters/logger-pino/log-sink.ts";
import { OnnxRuntime } from "./adapters/runtime-onnx/runtime-onnx.ts";
import { WorkerRuntime } from "./adapters/runtime-worker/runtime-worker.ts";
import { FileVersionLedger, MemoryVersionLedger } from "./models/version-ledger.ts";
import type { LoggerFor } from "./ports/logger.ts";
import type { Runtime } from "./ports/runtime.ts";
import type { ProcessShare } from "./serve/data-plane.ts";
import { checkApplicable, LAME_DUCK_MS, ServeRole } from "./serve/serve-role.ts";
import { IpcPeer } from "./supervisor/ipc-peer.ts";
import type { RepositoryOrder, StartOrder, StartReport } from "./supervisor/serve-process.ts";
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

/** The serve role in this process; it does not listen yet, and its models are not loaded. */
export function createServeRole(
  config: Config,
  loggerFor: LoggerFor,
  share: ProcessShare = { index: 0, processes: 1 },
): ServeRole {
  const { stateDir } = config;
  return new ServeRole(config, {
    runtimes: { inline: createRuntime(), worker: createWorkerRuntime() },
    coreCount: Math.max(1, Math.floor(availableParallelism() / share.processes)),
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

/** Serve processes a file asks for: one per core, unless the models' threads already fill the cores. */
export function processCountOf(config: Config): number {
  if (config.server.processes !== "auto") return config.server.processes;
  const threads = Math.max(1, ...Object.values(config.models).map((model) => model.threads));
  return Math.max(1, Math.floor(availableParallelism() / threads));
}

export function createSupervisor(config: Config, { loggerFor, writeLine }: Logging): Supervisor {
  return new Supervisor(config, {
    clock: systemClock,
    log: loggerFor("supervisor"),
    entry: join(import.meta.dirname, `serve-process-entry.${extensionHere()}`),
    processCount: processCountOf(config),
    onLine: writeLine,
    checkApplicable,
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
    async start({ config, index, processes, isRestart }: StartOrder): Promise<StartReport> {
      const base = { pid: process.pid, process: index };
      const destination = stderrDestination();
      const loggerFor = createLoggerFor({ levels: config.server.log.levels, base, destination });
      logFatalErrors(loggerFor);
      role = createServeRole(config, loggerFor, { index, processes });
      const repository = {
        load: (model: string) => peer.call<void>("repository", { action: "load", model }),
        unload: (model: string) => peer.call<void>("repository", { action: "unload", model }),
      };
      if (isRestart) await role.loadModels();
      const ports = await role.listen({ isShared: true, repository });
      if (!isRestart) await role.loadModels();
      return { ...ports, models: role.status() };
    },
    async apply(config: Config) {
      await mustRole().apply(config);
      return mustRole().status();
    },
    metrics: () => Promise.resolve(mustRole().metrics()),
    repository: ({ action, model }: RepositoryOrder) => mustRole().localRepository[action](model),
    stop,
  });
  // The terminal sends these to the whole group; the supervisor decides what they mean.
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  process.on("SIGTERM", () => void stop(LAME_DUCK_MS));
  process.once("disconnect", () => void stop(0));
}

/** A defect ends the process, which starts again; it is logged like everything else first. */
export function logFatalErrors(loggerFor: LoggerFor): void {
  const log = loggerFor("process");
  process.on("uncaughtExceptionMonitor", (error) => {
    log.error({ err: error }, "Process ends: an error nobody handled");
  });
}

/** Entries lie beside this file, in the sources as in what is built of them. */
function extensionHere(): "ts" | "js" {
  return import.meta.url.endsWith(".ts") ? "ts" : "js";
}
