import { mkdir } from "node:fs/promises";
import type { PredictionLogConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import { messageOf } from "../core/message-of.ts";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import type { FoundRows } from "../core/predictions/explanation.ts";
import { LOG_TABLES } from "../core/predictions/log-block.ts";
import { readPredictionKey } from "../core/predictions/prediction-key.ts";
import type { PredictionRow } from "../core/predictions/prediction-row.ts";
import type { Logger } from "../ports/logger.ts";
import type { LogTables, TableFile } from "../ports/log-tables.ts";
import type { PredictionSink } from "../ports/prediction-sink.ts";
import type { SegmentStore } from "../ports/segments.ts";
import { findInSegments } from "./find-in-segments.ts";
import { forget } from "./forgetting.ts";
import { ForgottenUnits } from "./forgotten-units.ts";
import { Housekeeping } from "./housekeeping.ts";
import type { ForgetResult, LogStatus, TableStatus } from "./log-messages.ts";
import type { SinkLag } from "./segment-watch.ts";
import { Shipper } from "./shipper.ts";
import { shippingMetrics } from "./shipping-metrics.ts";

/** Time between two tries to become the one that ships. */
const LOCK_EVERY_MS = 1_000;

const NO_LAG: SinkLag = { segments: 0, bytes: 0, ageMs: 0 };

export interface ShippingLock {
  release(): void;
}

export interface ShippingRoleOptions {
  /** The log's. */
  readonly folder: string;
  readonly config: Pick<PredictionLogConfig, "retention" | "rollMs">;
  readonly store: SegmentStore;
  readonly tables: LogTables;
  /** The one that fills the tables first. */
  readonly sinks: (forgotten: ForgottenUnits) => readonly [PredictionSink, ...PredictionSink[]];
  /** @returns undefined while another process has it. */
  readonly acquireLock: () => ShippingLock | undefined;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
}

/** What runs while this process is the one that ships. */
interface Shipping {
  readonly lock: ShippingLock;
  readonly units: ForgottenUnits;
  readonly shipper: Shipper;
  readonly housekeeping: Housekeeping;
  readonly sink: PredictionSink;
}

/**
 * The shipping role: from segments to sinks, tidy tables, and what is asked of them. One process at a time ships, another
 * one of the same folder waits for its end; both answer what only reads.
 *
 * waiting ─ lock ─► shipping; from both, stop: stopped.
 */
export class ShippingRole {
  readonly #options: ShippingRoleOptions;
  #shipping: Shipping | undefined;
  #isStopped = false;
  #cancelRetry: () => void = () => undefined;
  #starting: Promise<void> = Promise.resolve();
  #problem: string | undefined;

  constructor(options: ShippingRoleOptions) {
    this.#options = options;
  }

  /** Begins as soon as it can, which may be later than when this returns. */
  start(): void {
    this.#starting = this.#tryToShip();
  }

  async #tryToShip(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      const shipping = await this.#open();
      this.#shipping = shipping;
      this.#problem = undefined;
      shipping?.shipper.start();
      shipping?.housekeeping.start();
    } catch (error) {
      const text = messageOf(error);
      if (text !== this.#problem) log.error({ err: error }, `Nothing is shipped: ${text}`);
      this.#problem = text;
    }
    if (this.#shipping !== undefined || this.#isStopped) return;
    this.#cancelRetry = clock.schedule(LOCK_EVERY_MS, () => {
      this.#starting = this.#tryToShip();
    });
  }

  /**
   * While it runs this process has the log, and nothing is shipped.
   * @throws LOG_UNAVAILABLE when another process has it, and what `run` throws.
   */
  async atRest<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#shipping = await this.#open();
    try {
      if (this.#shipping === undefined) {
        const text = "Cannot open the prediction log: another process ships it";
        throw new MillraceError("LOG_UNAVAILABLE", text);
      }
      await this.#shipping.shipper.look();
      return await run();
    } finally {
      await this.stop();
    }
  }

  async #open(): Promise<Shipping | undefined> {
    const { folder, tables, acquireLock } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = acquireLock();
    if (lock === undefined) return undefined;
    try {
      await tables.recover();
      const units = await ForgottenUnits.open(folder);
      const sinks = this.#options.sinks(units);
      const shipper = await Shipper.open({ ...this.#options, sinks });
      const [sink] = sinks;
      const exclusive = (job: () => Promise<void>): Promise<void> =>
        shipper.between(sink.name, job);
      const housekeeping = new Housekeeping({ ...this.#options, exclusive, units });
      return { lock, units, shipper, housekeeping, sink };
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** The rows of a prediction, wherever they are; undefined when it is not known. */
  async find(predictionId: string): Promise<FoundRows | undefined> {
    const { store, tables, folder } = this.#options;
    const key = readPredictionKey(predictionId);
    if (key === undefined) return undefined;
    const found = await findInSegments(store, key);
    if (found === undefined) {
      const rows = await tables.find(predictionId);
      return rows === undefined
        ? undefined
        : { source: "parquet", rows: rows as unknown as readonly PredictionRow[] };
    }
    const units = this.#shipping?.units ?? (await ForgottenUnits.open(folder));
    const rows = found.filter(({ unit_hash: unit, ts }) => unit === null || !units.has(unit, ts));
    return rows.length === 0 ? undefined : { source: "segment", rows };
  }

  /** @throws LOG_UNAVAILABLE when another process ships, or nothing may be deleted. */
  async forget(unitHash: string): Promise<ForgetResult> {
    const shipping = this.#shipping;
    if (shipping === undefined) {
      const why = this.#problem ?? "another process ships the log of this folder";
      throw new MillraceError("LOG_UNAVAILABLE", `Cannot forget: ${why}`);
    }
    const { units, shipper, sink } = shipping;
    const isHeld = this.#options.config.retention.isHeld;
    return forget(unitHash, {
      ...this.#options,
      units,
      sink,
      isHeld,
      exclusive: (run) => shipper.between(sink.name, run),
    });
  }

  async status(): Promise<LogStatus> {
    const { folder } = this.#options;
    const shipping = this.#shipping;
    await shipping?.housekeeping.refresh();
    const watch = shipping?.shipper.watch;
    const segments = watch?.segments ?? [];
    const sinks = (shipping?.shipper.lanes ?? []).map((lane) => {
      const { segments: count, bytes, ageMs } = watch?.lagOf(lane) ?? NO_LAG;
      return { ...lane.facts, segments: count, bytes, lagSeconds: ageMs / 1_000 };
    });
    return {
      folder,
      isShipping: shipping !== undefined,
      problem: this.#problem,
      sinks,
      segments: {
        count: segments.length,
        bytes: segments.reduce((sum, { byteLength }) => sum + byteLength, 0),
      },
      tables: tableStatuses(shipping?.housekeeping.files ?? []),
      uncleanWriters: watch?.uncleanWriters ?? 0,
      damagedBlocks: watch?.damagedBlocks ?? 0,
    };
  }

  async metrics(): Promise<readonly MetricSnapshot[]> {
    return shippingMetrics(await this.status());
  }

  /** What is under way is begun again at the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRetry();
    await this.#starting;
    const shipping = this.#shipping;
    this.#shipping = undefined;
    await shipping?.shipper.stop();
    await shipping?.housekeeping.stop();
    await this.#options.tables.close();
    shipping?.lock.release();
  }
}

function tableStatuses(files: readonly TableFile[]): readonly TableStatus[] {
  return LOG_TABLES.map((table) => {
    const ofTable = files.filter((file) => file.table === table);
    const dates = ofTable.map(({ date }) => date).sort();
    return {
      table,
      files: ofTable.length,
      bytes: ofTable.reduce((sum, { byteLength }) => sum + byteLength, 0),
      oldest: dates[0],
      newest: dates.at(-1),
    };
  });
}
