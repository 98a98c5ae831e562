import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "./adapters/clock-system/clock-system.ts";
import { createLoggerFor, stderrDestination } from "./adapters/logger-pino/logger-pino.ts";
import { MemoryOverrideStore } from "./adapters/override-store-memory/override-store-memory.ts";
import { MemoryReleaseStore } from "./adapters/release-store-memory/release-store-memory.ts";
import type {
  ControlOrder,
  ControlReport,
  PersistOrder,
  ServingProcesses,
} from "./control/control-messages.ts";
import { ControlRole } from "./control/control-role.ts";
import type { ReleaseControllerOptions } from "./control/releases/release-controller.ts";
import type { TrafficSource } from "./control/releases/traffic-report.ts";
import type { Config } from "./config/config.ts";
import { splitDigest } from "./core/experiment/split-digest.ts";
import { UNITS_FILE } from "./core/experiment/units-file.ts";
import { LOG_FOLDER } from "./core/predictions/log-folder.ts";
import { FileVersionLedger, MemoryVersionLedger } from "./models/version-ledger.ts";
import type { LoggerFor } from "./ports/logger.ts";
import type { OverrideState, OverrideStore } from "./ports/override-store.ts";
import type { QueryEngine } from "./ports/query-engine.ts";
import type { ReleaseStore } from "./ports/release-store.ts";
import { QueryProcess } from "./query/query-process.ts";
import { experimentKey } from "./serve/experiments/service-experiment.ts";
import { StartError } from "./serve/listen.ts";
import { endWithSupervisor, logFatalErrors } from "./supervisor/child-process.ts";
import { IpcPeer } from "./supervisor/ipc-peer.ts";

/** The composition root of the control process: apart from `main.ts`, so that it loads no runtime of models. */

/** Live changes that are kept beside the file; undefined where there never was one. */
export async function readOverrides(
  stateDir: string | undefined,
): Promise<OverrideState | undefined> {
  if (stateDir === undefined || !existsSync(overridesFile(stateDir))) return undefined;
  const store = await openOverrideStore(stateDir);
  try {
    return await store.read();
  } finally {
    await store.close();
  }
}

/** @throws StartError when the file cannot be used. */
async function openOverrideStore(stateDir: string | undefined): Promise<OverrideStore> {
  if (stateDir === undefined) return new MemoryOverrideStore();
  const { SqliteOverrideStore } =
    await import("./adapters/override-store-sqlite/override-store-sqlite.ts");
  const path = overridesFile(stateDir);
  try {
    return new SqliteOverrideStore(path);
  } catch (error) {
    const why = (error as Error).message;
    throw new StartError(
      `Cannot open ${path}, which keeps the overrides: ${why}; move it away to start without them`,
      error,
    );
  }
}

/** Called when the overrides are open: the file is the same. */
async function openReleaseStore(stateDir: string | undefined): Promise<ReleaseStore> {
  if (stateDir === undefined) return new MemoryReleaseStore();
  const { SqliteReleaseStore } =
    await import("./adapters/release-store-sqlite/release-store-sqlite.ts");
  return new SqliteReleaseStore(overridesFile(stateDir));
}

/** The numbers that the serve processes give as well. */
function createPhases(
  stateDir: string | undefined,
  loggerFor: LoggerFor,
): ReleaseControllerOptions["phaseOf"] {
  const ledger =
    stateDir === undefined
      ? new MemoryVersionLedger()
      : new FileVersionLedger(join(stateDir, "phases"), loggerFor("releases"));
  return (service, config) => {
    const digest = createHash("sha256").update(splitDigest(config)).digest("hex");
    return ledger.versionOf(experimentKey(service, config), digest);
  };
}

/** Writes back what serve processes keep of units, so that they never wait for the disk. @returns what ends that. */
async function keepUnitsSmall(stateDir: string | undefined): Promise<() => void> {
  if (stateDir === undefined) return () => undefined;
  const { UnitsCheckpointer } =
    await import("./adapters/sticky-store-sqlite/units-checkpointer.ts");
  const path = join(stateDir, UNITS_FILE);
  const checkpointer = new UnitsCheckpointer({ path, clock: systemClock });
  return () => checkpointer.close();
}

function overridesFile(stateDir: string): string {
  return join(stateDir, "control.sqlite");
}

/**
 * Asks the prediction log of a configuration, through a process that is started when the first query comes.
 * @param onLine one line of its error stream.
 * @returns undefined where the configuration has no log.
 */
export function createQueries(
  { stateDir, log }: Config,
  onLine: (line: string) => void,
): QueryEngine | undefined {
  if (stateDir === undefined || log.sink === "off") return undefined;
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new QueryProcess({
    entry: join(import.meta.dirname, `query-process-entry.${extension}`),
    settings: { folder: join(stateDir, LOG_FOLDER), ...log.query },
    clock: systemClock,
    onLine,
  });
}

/** What the supervised control process runs: it waits for orders, and ends when its supervisor is gone. */
export function runControlProcess(): void {
  let role: ControlRole | undefined;
  let endUnits = (): void => undefined;
  const mustRole = (): ControlRole => {
    if (role === undefined) throw new Error("Cannot obey: the process has not been started yet");
    return role;
  };
  const stop = async (): Promise<void> => {
    endUnits();
    await role?.stop();
    process.exit(0);
  };
  const peer = new IpcPeer(process, {
    async start(order: ControlOrder): Promise<ControlReport> {
      const { server, stateDir } = order.config;
      const base = { pid: process.pid, process: "control" };
      const destination = stderrDestination();
      const loggerFor = createLoggerFor({ levels: server.log.levels, base, destination });
      logFatalErrors(loggerFor);
      const processes: ServingProcesses = {
        change: (change) => peer.call("change", change),
        adoptKept: () => peer.call("adoptKept", {}),
        status: () => peer.call("status", {}),
        liveValues: (path) => peer.call("liveValues", path),
        explain: (predictionId) => peer.call("explain", predictionId),
        logStatus: () => peer.call("logStatus", {}),
        forget: (order) => peer.call("forget", order),
      };
      const traffic: TrafficSource = {
        report: () => peer.call("traffic", {}),
        skippedCopies: () => peer.call("skippedCopies", {}),
      };
      const store = await openOverrideStore(stateDir);
      const releaseStore = await openReleaseStore(stateDir);
      endUnits = await keepUnitsSmall(stateDir);
      const queryLog = loggerFor("query");
      const queries = createQueries(order.config, (line) => queryLog.warn({}, line));
      role = new ControlRole({
        store,
        processes,
        releaseStore,
        traffic,
        phaseOf: createPhases(stateDir, loggerFor),
        queries,
        clock: systemClock,
        loggerFor,
      });
      return role.start(order);
    },
    persist: (order: PersistOrder) => mustRole().persist(order),
    kept: () => Promise.resolve(mustRole().kept),
    stop,
  });
  endWithSupervisor(stop, stop);
}
