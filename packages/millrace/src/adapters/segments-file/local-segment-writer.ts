import type { Clock } from "../../core/clock.ts";
import { LOG_TABLES, type LogBlock, type LogTable } from "../../core/predictions/log-block.ts";
import type {
  SegmentWriter,
  SegmentWriterEvents,
  SegmentWriterUsage,
} from "../../ports/segments.ts";
import { DiskGuard } from "./disk-guard.ts";
import { PAYLOAD_BYTES_MAX } from "./frame.ts";
import { measureDisk } from "./measure-disk.ts";
import type { SegmentFile } from "./segment-file.ts";
import type { SegmentFiles } from "./segment-files.ts";
import { SegmentSeries } from "./segment-series.ts";
import { SegmentSyncer } from "./segment-syncer.ts";
import { WriterFolder } from "./writer-folder.ts";

/** When what is written is forced to the disk. */
export type Durability =
  | { readonly kind: "off" }
  | { readonly kind: "interval"; readonly everyMs: number }
  | { readonly kind: "batch" };

export interface SegmentWriterSettings {
  /** Of the log. */
  readonly folder: string;
  /** A segment ends so long after its first block. */
  readonly rollMs: number;
  readonly durability: Durability;
  /** Disk space of the segments of all writers. */
  readonly walBytesMax: number;
  /** Share of the disk that stays free, 0 to 1. */
  readonly diskFreeMin: number;
}

export interface LocalSegmentWriterOptions extends SegmentWriterSettings {
  /** Name of this writer, unlike every other one there ever was. */
  readonly writer: string;
  readonly files: SegmentFiles;
  readonly clock: Clock;
  readonly events: SegmentWriterEvents;
}

/** A segment of this length ends; less where few of them would fill `walBytesMax`. */
const SEGMENT_BYTES_MAX = 128 * 2 ** 20;
const SEGMENT_BYTES_MIN = 64 * 2 ** 10;
const SEGMENTS_IN_WAL_MIN = 16;
/** A segment of so many rows of the table, too: each is about 1 KiB of text on its way into a file. */
const SEGMENT_ROWS_MAX = 1_000_000;

/** Blocks of one write: twice as many parts, of which the system takes 1,024 at a time. */
const BLOCKS_PER_WRITE_MAX = 256;

/** Wait after a failed write, doubled with each that fails after it. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

/** Segments that have ended and wait for a slow disk; no further one is begun beyond. */
const ENDED_MAX = 4;

interface WaitingBlock extends LogBlock {
  readonly atMs: number;
  readonly written: PromiseWithResolvers<void>;
}

interface TableQueue {
  readonly series: SegmentSeries;
  readonly waiting: WaitingBlock[];
}

/** Writes segments on the calling thread. What waits is written together; what fails is tried again, ever later. */
export class LocalSegmentWriter implements SegmentWriter {
  readonly #options: LocalSegmentWriterOptions;
  readonly #folder: WriterFolder;
  readonly #queues: ReadonlyMap<LogTable, TableQueue>;
  readonly #syncer: SegmentSyncer;
  readonly #guard: DiskGuard;
  /** What does not work at present. */
  readonly #failing = new Set<"write" | "sync">();
  #writtenBytes = 0;
  #retryMs = RETRY_MS_MIN;
  #cancelRetry: (() => void) | undefined;
  #cancelRoll: (() => void) | undefined;
  /** The work that goes on; undefined when nothing does. */
  #working: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: LocalSegmentWriterOptions) {
    const { files, folder, writer, durability, clock, events } = options;
    this.#options = options;
    this.#folder = new WriterFolder(files, folder, writer);
    this.#queues = new Map(LOG_TABLES.map((table) => [table, this.#queueOf(table)]));
    this.#syncer = new SegmentSyncer({
      everyMs: durability.kind === "interval" ? durability.everyMs : undefined,
      clock,
      onFailed: (error) => this.#fails("sync", error),
      onSynced: () => this.#works("sync"),
    });
    this.#guard = new DiskGuard({
      ...options,
      measure: () => {
        files.createFolder(folder);
        return measureDisk(folder);
      },
      onLevel: (level, reason) => events.level(level, reason),
    });
  }

  get usage(): SegmentWriterUsage {
    const sinceMs = [...this.#queues.values()].map(({ waiting }) => waiting[0]?.atMs ?? Infinity);
    const oldestMs = Math.min(...sinceMs, this.#syncer.unsyncedSinceMs ?? Infinity);
    return {
      writtenBytes: this.#writtenBytes,
      walBytes: this.#guard.walBytes,
      durableLagMs: Math.max(0, this.#options.clock.nowMs() - oldestMs),
    };
  }

  append(block: LogBlock): Promise<void> {
    const { length } = block.bytes;
    if (length > PAYLOAD_BYTES_MAX) {
      const state = `it has ${length} bytes, limit is ${PAYLOAD_BYTES_MAX}`;
      return Promise.reject(new Error(`Cannot write a block of the log: ${state}`));
    }
    if (this.#closed !== undefined) return Promise.reject(closedError());
    const written = Promise.withResolvers<void>();
    this.#queue(block.table).waiting.push({ ...block, atMs: this.#options.clock.nowMs(), written });
    this.#work();
    return written.promise;
  }

  async sync(): Promise<void> {
    const waiting = [...this.#queues.values()].flatMap((queue) => queue.waiting);
    await Promise.all(waiting.map(({ written }) => written.promise));
    await this.#syncer.syncAll();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#working;
    this.#cancelRetry?.();
    this.#cancelRoll?.();
    try {
      await this.#writeWaiting();
    } catch (error) {
      this.#fails("write", error);
      this.#rejectWaiting(error);
    }
    for (const { series } of this.#queues.values()) this.#endForGood(series);
    try {
      await this.#syncer.syncAll();
    } catch (error) {
      this.#fails("sync", error);
    }
    for (const { series } of this.#queues.values()) await series.current?.close();
    this.#syncer.stop();
    this.#guard.stop();
    this.#folder.close();
  }

  #queueOf(table: LogTable): TableQueue {
    const { files, writer, rollMs, walBytesMax } = this.#options;
    const share = Math.max(SEGMENT_BYTES_MIN, walBytesMax / SEGMENTS_IN_WAL_MIN);
    const segmentBytesMax = Math.min(SEGMENT_BYTES_MAX, share);
    const folder = this.#folder.path;
    const limits = { segmentBytesMax, segmentRowsMax: SEGMENT_ROWS_MAX, rollMs };
    const series = new SegmentSeries({ files, table, writer, folder, ...limits });
    return { series, waiting: [] };
  }

  #queue(table: LogTable): TableQueue {
    return this.#queues.get(table)!; // there is one for each table
  }

  /** Begins to work in a moment, so that what arrives together is written together. */
  #work(): void {
    if (this.#working !== undefined || this.#cancelRetry !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#working = promise;
    this.#options.clock.soon(() => void this.#workNow().then(resolve));
  }

  async #workNow(): Promise<void> {
    try {
      await this.#writeWaiting();
      this.#retryMs = RETRY_MS_MIN;
      this.#works("write");
    } catch (error) {
      this.#fails("write", error);
      this.#retryLater();
    }
    this.#working = undefined;
    this.#planRoll();
    // What came while the last write was answered.
    if (this.#closed === undefined && this.#hasWaiting()) this.#work();
  }

  #hasWaiting(): boolean {
    return [...this.#queues.values()].some(({ waiting }) => waiting.length > 0);
  }

  #retryLater(): void {
    this.#cancelRetry = this.#options.clock.schedule(this.#retryMs, () => {
      this.#cancelRetry = undefined;
      this.#work();
    });
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
  }

  /** A segment ends in time also when nothing comes any more. */
  #planRoll(): void {
    this.#cancelRoll?.();
    const openedMs = [...this.#queues.values()].map(
      ({ series }) => series.current?.openedAtMs ?? Infinity,
    );
    const dueMs = Math.min(...openedMs) + this.#options.rollMs;
    if (this.#closed !== undefined || dueMs === Infinity) return;
    const delayMs = Math.max(0, dueMs - this.#options.clock.nowMs());
    this.#cancelRoll = this.#options.clock.schedule(delayMs, () => this.#work());
  }

  async #writeWaiting(): Promise<void> {
    do {
      // One write each in turn: a table for which there is always more does not hold up the other.
      for (const queue of this.#queues.values()) await this.#writeSome(queue);
    } while (this.#hasWaiting());
  }

  async #writeSome(queue: TableQueue): Promise<void> {
    await this.#endIfDue(queue.series);
    if (queue.waiting.length === 0) return;
    await this.#folder.open();
    this.#giveUpDeleted(queue.series);
    await this.#writeNext(queue);
    await this.#endIfDue(queue.series);
  }

  /** As many blocks as go into one write. */
  async #writeNext({ series, waiting }: TableQueue): Promise<void> {
    const { clock, durability } = this.#options;
    const nowMs = clock.nowMs();
    const count = series.fitting(waiting, BLOCKS_PER_WRITE_MAX);
    const blocks = waiting.slice(0, count);
    const segment = series.open(nowMs);
    const lengthBefore = segment.byteLength;
    segment.append(blocks, blocks[0]?.atMs ?? nowMs);
    if (durability.kind === "batch") await syncOrRollBack(segment, lengthBefore);
    this.#writtenBytes += segment.byteLength - lengthBefore;
    this.#syncer.changed(segment);
    waiting.splice(0, count);
    for (const { written } of blocks) written.resolve();
  }

  #giveUpDeleted(series: SegmentSeries): void {
    const deleted = series.giveUpDeleted();
    if (deleted === undefined) return;
    this.#syncer.changed(deleted);
    // What was in it was answered for; a new segment works at once.
    this.#fails("write", new Error(`Cannot keep what was written: "${deleted.path}" was deleted`));
  }

  async #endIfDue(series: SegmentSeries): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    if (!series.isDue(nowMs)) return;
    if (this.#syncer.endedCount >= ENDED_MAX) await this.#syncer.syncAll();
    const ended = series.end(nowMs);
    if (ended !== undefined) this.#syncer.changed(ended);
  }

  /** One that cannot be ended now is ended by the death of its writer. */
  #endForGood(series: SegmentSeries): void {
    if (series.current === undefined || series.current.byteLength === 0) return;
    try {
      const ended = series.end(this.#options.clock.nowMs());
      if (ended !== undefined) this.#syncer.changed(ended);
    } catch (error) {
      this.#fails("write", error);
    }
  }

  #rejectWaiting(error: unknown): void {
    for (const { waiting } of this.#queues.values()) {
      for (const { written } of waiting.splice(0)) written.reject(error);
    }
  }

  #fails(what: "write" | "sync", error: unknown): void {
    if (this.#failing.size === 0) this.#options.events.failed(asError(error));
    this.#failing.add(what);
  }

  #works(what: "write" | "sync"): void {
    if (this.#failing.delete(what) && this.#failing.size === 0) this.#options.events.recovered();
  }
}

/** What may not be on the disk must not stay in the file either: it is written again. */
async function syncOrRollBack(segment: SegmentFile, byteLength: number): Promise<void> {
  try {
    await segment.sync();
  } catch (error) {
    segment.rollBack(byteLength);
    throw error;
  }
}

function closedError(): Error {
  return new Error("Cannot write a block of the log: its writer is closed");
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
