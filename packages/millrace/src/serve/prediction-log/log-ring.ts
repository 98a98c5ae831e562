import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import { LineLimit } from "../../core/line-limit.ts";
import { messageOf } from "../../core/message-of.ts";
import { BlockWriter } from "../../core/predictions/block-writer.ts";
import type { ExposureRow } from "../../core/predictions/exposure-row.ts";
import type { LogBlock } from "../../core/predictions/log-block.ts";
import type { LoggedPrediction } from "../../core/predictions/logged-prediction.ts";
import type { Logger } from "../../ports/logger.ts";
import type { DiskLevel, SegmentWriter, SegmentWriterEvents } from "../../ports/segments.ts";
import { ExposureBlock } from "./exposure-block.ts";
import type { LogUsage } from "./prediction-log-metrics.ts";

/** Predictions that are not yet written; one more is left out. */
export const RING_RECORDS_MAX = 10_000;

/** Memory of what is not yet written. */
const RING_BYTES_MAX = 64 * 1024 * 1024;

/** A block of this size leaves at once, ... */
const BLOCK_BYTES = 256 * 1024;

/** ... a smaller one so long after its first record. */
const BLOCK_DELAY_MS = 20;

/** What can be taken now, worse from left to right. */
export const LEVELS: readonly DiskLevel[] = ["all", "no_payload", "sampled", "nothing"];

/** Share of the ring from which on each level but the first begins. */
const LEVEL_SHARES = [0.5, 0.75, 1];

/** Predictions that wait for room. */
const WAITING_MAX = 10_000;

/** Every block may fail alike. */
const COMPLAINTS_EVERY_MS = 10_000;

const NO_USAGE = { writtenBytes: 0, walBytes: 0, durableLagMs: 0 };

export interface LogRingOptions {
  /** Opens the writer, when the first block is to be written. */
  readonly openWriter: (events: SegmentWriterEvents) => SegmentWriter;
  readonly clock: Clock;
  readonly log: Logger;
  /** Records were taken and will never be written; how many rows they would have been. */
  readonly onLost: (rowCount: number) => void;
  /** By default `RING_RECORDS_MAX`. */
  readonly recordsMax?: number | undefined;
}

/**
 * What was logged and is not yet written: a block that grows, and those that the writer has. Nothing here waits for the
 * disk; it only ever gets full.
 */
export class LogRing {
  readonly #options: LogRingOptions;
  readonly #recordsMax: number;
  readonly #block = new BlockWriter();
  readonly #exposures = new ExposureBlock();
  #writer: SegmentWriter | undefined;
  #diskLevel: DiskLevel = "all";
  /** Of the writer. */
  #recordCount = 0;
  #byteCount = 0;
  #cancelFlush: (() => void) | undefined;
  #cancelExposures: (() => void) | undefined;
  readonly #onRoom = new Set<() => void>();
  readonly #complaints: LineLimit;
  /** Rows that are lost and of which nobody was told yet, and why the last of them are. */
  readonly #untold: { rowCount: number; error: unknown } = { rowCount: 0, error: undefined };

  constructor(options: LogRingOptions) {
    this.#options = options;
    this.#recordsMax = options.recordsMax ?? RING_RECORDS_MAX;
    this.#complaints = new LineLimit(options.clock, COMPLAINTS_EVERY_MS);
  }

  get diskLevel(): DiskLevel {
    return this.#diskLevel;
  }

  /** 0 is empty, 1 is full. */
  get fullness(): number {
    const bytes = this.#byteCount + this.#block.byteLength + this.#exposures.byteLength;
    return Math.max(this.#records / this.#recordsMax, bytes / RING_BYTES_MAX);
  }

  /** Index in `LEVELS` that the ring itself allows, whatever the disk says. */
  get levelIndex(): number {
    const { fullness } = this;
    let index = 0;
    while (index < LEVEL_SHARES.length && fullness >= (LEVEL_SHARES[index] as number)) index++;
    return index;
  }

  get usage(): LogUsage {
    return { ...(this.#writer?.usage ?? NO_USAGE), ringRecords: this.#records };
  }

  get #records(): number {
    return this.#recordCount + this.#block.recordCount + this.#exposures.recordCount;
  }

  /**
   * Packs a record; whether there is room for it is asked before.
   * @returns false when it is too large for any block.
   * @throws when it cannot be packed; nothing is added then.
   */
  add(record: LoggedPrediction): boolean {
    const isFirst = this.#block.recordCount === 0;
    if (!this.#block.add(record)) {
      if (isFirst) return false;
      this.#flush();
      return this.add(record);
    }
    if (this.#block.byteLength >= BLOCK_BYTES) this.#flush();
    else if (isFirst) {
      this.#cancelFlush = this.#options.clock.schedule(BLOCK_DELAY_MS, () => this.#flush());
    }
    return true;
  }

  /** @returns false when there is no room for it. */
  addExposure(row: ExposureRow): boolean {
    if (this.fullness >= 1) return false;
    this.#exposures.add(row);
    if (this.#exposures.byteLength >= BLOCK_BYTES) this.#flushExposures();
    else if (this.#exposures.recordCount === 1) {
      const flush = (): void => this.#flushExposures();
      this.#cancelExposures = this.#options.clock.schedule(BLOCK_DELAY_MS, flush);
    }
    return true;
  }

  /**
   * Writes a block of its own.
   * @returns when it is written. @throws LOG_UNAVAILABLE when it cannot be.
   */
  async write(block: LogBlock): Promise<void> {
    if (this.fullness >= 1 || this.#diskLevel === "nothing") throw unavailable("it is full");
    try {
      await this.#append(block);
    } catch (error) {
      throw unavailable(messageOf(error), error);
    }
  }

  /**
   * Resolves when something was written, `delayMs` later at the latest.
   * @returns undefined when too many wait already.
   */
  room(delayMs: number): Promise<void> | undefined {
    if (this.#onRoom.size >= WAITING_MAX) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#onRoom.delete(done);
        resolve();
      };
      const cancel = this.#options.clock.schedule(delayMs, done);
      this.#onRoom.add(done);
    });
  }

  /** Writes what is there; may be called again. */
  async close(): Promise<void> {
    this.#flush();
    this.#flushExposures();
    await this.#writer?.close();
    this.#tellLost();
  }

  /** For who cannot wait for `close` any longer. */
  giveUp(): void {
    const { ringRecords } = this.usage;
    if (ringRecords === 0) return;
    const text = `The prediction log lacks ${ringRecords} requests: the process ends before they are written`;
    this.#options.log.error({ requests: ringRecords }, text);
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (this.#block.recordCount > 0) this.#send(this.#block.take());
  }

  #flushExposures(): void {
    this.#cancelExposures?.();
    this.#cancelExposures = undefined;
    if (this.#exposures.recordCount > 0) this.#send(this.#exposures.take());
  }

  /** Nobody waits for it. */
  #send(block: LogBlock): void {
    const { recordCount, rowCount = recordCount } = block;
    this.#append(block).catch((error: unknown) => this.#lose(rowCount, error));
  }

  #lose(rowCount: number, error: unknown): void {
    this.#options.onLost(rowCount);
    this.#untold.rowCount += rowCount;
    this.#untold.error = error;
    if (this.#complaints.pass("append") !== undefined) this.#tellLost();
  }

  #tellLost(): void {
    const { rowCount, error } = this.#untold;
    if (rowCount === 0) return;
    this.#untold.rowCount = 0;
    const rows =
      rowCount === 1
        ? "1 row of the prediction log is"
        : `${rowCount} rows of the prediction log are`;
    this.#options.log.error({ rows: rowCount, err: error }, `${rows} lost: ${messageOf(error)}`);
  }

  async #append(block: LogBlock): Promise<void> {
    const { recordCount, bytes } = block;
    const { byteLength } = bytes; // its memory goes to the writer
    this.#recordCount += recordCount;
    this.#byteCount += byteLength;
    try {
      this.#writer ??= this.#options.openWriter(this.#events());
      await this.#writer.append(block);
    } finally {
      this.#recordCount -= recordCount;
      this.#byteCount -= byteLength;
      for (const done of this.#onRoom) done();
    }
  }

  #events(): SegmentWriterEvents {
    const { log } = this.#options;
    return {
      level: (level, reason) => {
        const isWorse = LEVELS.indexOf(level) > LEVELS.indexOf(this.#diskLevel);
        this.#diskLevel = level;
        const text = `The prediction log takes ${LEVEL_TEXTS[level]}: ${reason}`;
        if (isWorse) log.warn({ level, reason }, text);
        else log.info({ level, reason }, text);
      },
      failed: (error) => {
        const text = `Cannot write the prediction log: ${messageOf(error)}; it is tried again`;
        log.error({ err: error }, text);
      },
      recovered: () => log.info({}, "The prediction log can be written again"),
    };
  }
}

const LEVEL_TEXTS: Readonly<Record<DiskLevel, string>> = {
  all: "everything",
  no_payload: "rows without inputs and predictions",
  sampled: "one plain row in ten, without inputs and predictions",
  nothing: "nothing",
};

function unavailable(why: string, cause?: unknown): MillraceError {
  const text = `Cannot write to the prediction log: ${why}`;
  return new MillraceError("LOG_UNAVAILABLE", text, { retryAfterSeconds: 1, cause });
}
