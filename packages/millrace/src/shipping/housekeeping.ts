import type { PredictionLogConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/message-of.ts";
import { segmentKey } from "../core/predictions/segment-name.ts";
import type { Logger } from "../ports/logger.ts";
import type { LogTables, TableFile } from "../ports/log-tables.ts";
import type { SegmentStore } from "../ports/segments.ts";
import type { ForgottenUnits } from "./forgotten-units.ts";
import { partitionEndMs, planHousekeeping, type HousekeepingJob } from "./plan-housekeeping.ts";
import { RetentionClock } from "./retention-clock.ts";

/** Time between two looks at the files. */
const LOOK_EVERY_MS = 60_000;

/** Whoever asks gets a list of files that is not older: a thousand files take a while to look at. */
const FRESH_MS = 2_000;

/** Jobs of one look, so that shipping gets its turn. */
const JOBS_PER_LOOK = 8;

export interface HousekeepingOptions {
  readonly tables: LogTables;
  readonly store: SegmentStore;
  readonly units: ForgottenUnits;
  /** The log's. */
  readonly folder: string;
  readonly config: Pick<PredictionLogConfig, "retention" | "rollMs">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Runs a job while nothing is written to the tables. */
  readonly exclusive: (job: () => Promise<void>) => Promise<void>;
}

/** Keeps the files of the tables few and no older than they may be. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #retentionClock: RetentionClock | undefined;
  #files: readonly TableFile[] = [];
  #listedAtMs = -Infinity;
  #isStopped = false;
  #cancel: () => void = () => undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  /** As they were at the last look. */
  get files(): readonly TableFile[] {
    return this.#files;
  }

  /** Looks, unless it has looked just now. */
  async refresh(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#listedAtMs >= FRESH_MS) await this.#list();
  }

  async #list(): Promise<readonly TableFile[]> {
    this.#listedAtMs = this.#options.clock.nowMs();
    this.#files = await this.#options.tables.list();
    return this.#files;
  }

  start(): void {
    this.#looking = this.#lookAndGoOn();
  }

  /** Waits for the job that runs. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#looking;
  }

  async #lookAndGoOn(): Promise<void> {
    const { log, clock } = this.#options;
    try {
      await this.look();
    } catch (error) {
      log.error({ err: error }, `The files of the log stay as they are: ${messageOf(error)}`);
    }
    if (this.#isStopped) return;
    this.#cancel = clock.schedule(LOOK_EVERY_MS, () => {
      this.#looking = this.#lookAndGoOn();
    });
  }

  /** Does what is to be done, up to a bound. @throws what a job throws; it is tried again at the next look. */
  async look(): Promise<void> {
    const { store, units, config, clock, exclusive } = this.#options;
    const files = await this.#list();
    const retentionMs = await (await this.#retention(files)).nowMs();
    await exclusive(async () => {
      const there = (await store.list()).map(({ id }) => id);
      await units.keepFor(there, clock.wallMs() * 1_000);
    });
    const ids = (await store.list()).map(({ id }) => id);
    const segments = new Set(ids.map((id) => `${id.table}/${segmentKey(id)}`));
    // Those of a segment that exists may be written again, under the name they have.
    const settled = files.filter((file) => !segments.has(`${file.table}/${nameOf(file)}`));
    const facts = { wallMs: clock.wallMs(), retentionMs, config };
    for (const job of planHousekeeping(settled, facts).slice(0, JOBS_PER_LOOK)) {
      if (this.#isStopped) return;
      await exclusive(() => this.#do(job));
    }
  }

  async #retention(files: readonly TableFile[]): Promise<RetentionClock> {
    const { folder, clock } = this.#options;
    const newestMs = files.length === 0 ? undefined : Math.max(...files.map(partitionEndMs));
    this.#retentionClock ??= await RetentionClock.open(folder, clock, newestMs);
    return this.#retentionClock;
  }

  async #do({ kind, files }: HousekeepingJob): Promise<void> {
    const { tables, log } = this.#options;
    const partition = files[0]?.partition;
    if (kind === "remove") await tables.remove(files);
    else await tables.rewrite(files, { kind });
    const level = kind === "remove" ? "info" : "debug";
    log[level]({ partition, files: files.length }, DONE[kind]);
  }
}

const DONE: Readonly<Record<HousekeepingJob["kind"], string>> = {
  remove: "Rows were deleted: they are older than log.retention.rows",
  drop_payload: "Inputs and predictions were deleted: they are older than log.retention.payload",
  compact: "Small files became one",
};

/** `p0-01992f3c7a5e-00000012` */
function nameOf({ path, partition }: TableFile): string {
  return path.slice(partition.length + 1).replace(/\.parquet$/, "");
}
