import { existsSync, readdirSync, rmSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { systemClock } from "./adapters/clock-system/clock-system.ts";
import { createLoggerFor, stderrDestination } from "./adapters/logger-pino/logger-pino.ts";
import { DuckDb } from "./adapters/parquet-duckdb/open-duckdb.ts";
import { ParquetSink } from "./adapters/parquet-duckdb/parquet-sink.ts";
import { ParquetTables } from "./adapters/parquet-duckdb/parquet-tables.ts";
import { acquireFileLock } from "./adapters/segments-file/file-lock.ts";
import { FileSegmentStore } from "./adapters/segments-file/file-segment-store.ts";
import { keyedHashOf } from "./adapters/segments-file/keyed-hash.ts";
import { readLogKey } from "./adapters/segments-file/log-key.ts";
import { MillraceError } from "./core/errors.ts";
import { UNITS_FILE } from "./core/experiment/units-file.ts";
import { messageOf } from "./core/message-of.ts";
import { LOG_FOLDER, SHIPPER_LOCK_FILE, TEMPORARY_FOLDER } from "./core/predictions/log-folder.ts";
import type { Logger, LoggerFor } from "./ports/logger.ts";
import type { PredictionSink } from "./ports/prediction-sink.ts";
import type { ForgottenUnits } from "./shipping/forgotten-units.ts";
import type { ForgetOrder, ForgetResult, LogOrder, LogStatus } from "./shipping/log-messages.ts";
import { ShippingRole } from "./shipping/shipping-role.ts";
import { endWithSupervisor, logFatalErrors } from "./supervisor/child-process.ts";
import { IpcPeer } from "./supervisor/ipc-peer.ts";

/** The composition root of the log process: apart from `main.ts`, so that it loads no runtime of models. */

/** Predictions come first: whatever else wants a core gets it before this process. 19 is the last of all. */
const PRIORITY = 15;

/** Memory of DuckDB; what does not fit goes to the disk. */
const DUCKDB_BYTES_MAX = 256 * 1024 * 1024;

/** Begins the name of the folder in which DuckDB puts what does not fit its memory; each process has its own. */
const SPILL = "spill-";

interface ShippingOptions {
  readonly order: LogOrder;
  readonly log: Logger;
}

/** @throws when the file of the text sink cannot be used. */
async function createShippingRole({ order, log }: ShippingOptions): Promise<ShippingRole> {
  const { stateDir, log: config } = order;
  const folder = join(stateDir, LOG_FOLDER);
  const temporary = join(folder, TEMPORARY_FOLDER);
  const duckDb = new DuckDb({
    spillFolder: join(temporary, `${SPILL}${process.pid}`),
    memoryBytesMax: DUCKDB_BYTES_MAX,
  });
  const { text } = config;
  const openText =
    text === undefined ? undefined : (await import("./adapters/sink-text/text-sink.ts")).TextSink;
  const sinks = (forgotten: ForgottenUnits): [PredictionSink, ...PredictionSink[]] => {
    const temporaryFolder = join(temporary, "ship");
    const parquet = new ParquetSink({ folder, temporaryFolder, duckDb, forgotten });
    if (openText === undefined || text === undefined) return [parquet];
    const isForgotten = (unitHash: string, tsUs: number): boolean => forgotten.has(unitHash, tsUs);
    return [parquet, new openText({ ...text, isForgotten })];
  };
  return new ShippingRole({
    folder,
    config,
    store: new FileSegmentStore(folder),
    tables: new ParquetTables({ folder, duckDb }),
    sinks,
    acquireLock() {
      const lock = acquireFileLock(join(folder, SHIPPER_LOCK_FILE));
      if (lock !== undefined) removeOldSpill(temporary);
      return lock;
    },
    clock: systemClock,
    random: Math.random,
    log,
  });
}

/** What processes left that were killed. */
function removeOldSpill(temporary: string): void {
  const names = existsSync(temporary) ? readdirSync(temporary) : [];
  for (const name of names) {
    const isOld = name.startsWith(SPILL) && name !== `${SPILL}${process.pid}`;
    if (isOld) rmSync(join(temporary, name), { recursive: true, force: true });
  }
}

/** The hash of a unit as it is in the rows; of one that is given as its hash that. */
function unitHashOf({ stateDir, log }: LogOrder, { unit, unitHash }: ForgetOrder): string {
  if (unit === undefined && unitHash !== undefined) return unitHash;
  return keyedHashOf(readLogKey(join(stateDir, LOG_FOLDER), log.key))(unit ?? "");
}

/** The log of a state folder, for who has no log process to ask. */
export interface LogAtRest {
  status(): Promise<LogStatus>;
  forget(order: ForgetOrder): Promise<ForgetResult>;
}

/**
 * Nothing is shipped meanwhile.
 * @throws LOG_UNAVAILABLE when a process ships it: that one is to be asked.
 */
export async function withLogAtRest<Result>(
  order: LogOrder,
  loggerFor: LoggerFor,
  use: (log: LogAtRest) => Promise<Result>,
): Promise<Result> {
  const role = await createShippingRole({ order, log: loggerFor("log") });
  return role.atRest(() =>
    use({
      status: () => role.status(),
      forget: (asked) => forgetIn(role, order, asked, loggerFor("log")),
    }),
  );
}

async function forgetIn(
  role: ShippingRole,
  order: LogOrder,
  asked: ForgetOrder,
  log: Logger,
): Promise<ForgetResult> {
  const unitHash = unitHashOf(order, asked);
  await forgetArms(unitHash, order);
  const result = await role.forget(unitHash);
  const { by, reason } = asked;
  log.info({ ...result, by, reason }, `A unit was forgotten: ${result.rows} rows are gone`);
  return result;
}

/** Its arms in experiments. @throws LOG_UNAVAILABLE when they cannot be forgotten. */
async function forgetArms(unitHash: string, { stateDir }: LogOrder): Promise<void> {
  const path = join(stateDir, UNITS_FILE);
  if (!existsSync(path)) return;
  const { SqliteStickyStore } =
    await import("./adapters/sticky-store-sqlite/sticky-store-sqlite.ts");
  // What fails is thrown, so nobody needs to be told of it besides.
  const store = new SqliteStickyStore({ path, clock: systemClock, onTrouble: () => undefined });
  try {
    await store.forget(unitHash);
  } catch (error) {
    const text = `Cannot forget the arms of the unit: ${messageOf(error)}`;
    throw new MillraceError("LOG_UNAVAILABLE", text, { cause: error });
  } finally {
    await store.close();
  }
}

/** What the log process runs: it waits for orders, and ends when whoever started it is gone. */
export function runLogProcess(): void {
  setPriority(PRIORITY);
  let running: { readonly role: ShippingRole; readonly order: LogOrder } | undefined;
  let log: Logger | undefined;
  const mustRun = (): { role: ShippingRole; order: LogOrder; log: Logger } => {
    if (running !== undefined && log !== undefined) return { ...running, log };
    throw new Error("Cannot obey: the process has not been started yet");
  };
  const begin = async (order: LogOrder, to: Logger): Promise<void> => {
    const role = await createShippingRole({ order, log: to });
    running = { role, order };
    role.start();
  };
  // Whatever is under way is begun again by the next one: nothing is worth waiting for.
  const stop = (): Promise<never> => process.exit(0);
  new IpcPeer(process, {
    async start(order: LogOrder): Promise<void> {
      const base = { pid: process.pid, process: "log" };
      const destination = stderrDestination();
      const loggerFor = createLoggerFor({ levels: order.levels, base, destination });
      logFatalErrors(loggerFor);
      log = loggerFor("log");
      await begin(order, log);
    },
    async apply(order: LogOrder): Promise<void> {
      const before = mustRun();
      await before.role.stop();
      await begin(order, before.log);
    },
    find: (predictionId: string) => mustRun().role.find(predictionId),
    forget(asked: ForgetOrder) {
      const { role, order, log: to } = mustRun();
      return forgetIn(role, order, asked, to);
    },
    status: () => mustRun().role.status(),
    metrics: () => mustRun().role.metrics(),
    stop,
  });
  endWithSupervisor(stop, stop);
}
