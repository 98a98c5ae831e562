import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolderSynced, syncFile, syncFolder } from "../../disk/synced-files.ts";
import { segmentKey, type SegmentId } from "../../core/predictions/segment-name.ts";
import type { PredictionSink, SinkBatch, SinkCounts } from "../../ports/prediction-sink.ts";
import { UnusableBatchError } from "../../ports/prediction-sink.ts";
import type { DuckDb } from "./open-duckdb.ts";
import { PartitionSpreader, type PartitionLines } from "./partition-lines.ts";
import { spreadBlock, type ForgottenRows } from "./spread-block.ts";
import { nameOf, pathIn } from "./table-path.ts";
import { copyLines } from "./table-sql.ts";
import { listTableFiles } from "./list-table-files.ts";

export interface ParquetSinkOptions {
  /** The log's. */
  readonly folder: string;
  /** Its own, on the same disk; emptied when it is opened. */
  readonly temporaryFolder: string;
  readonly duckDb: DuckDb;
  readonly forgotten: ForgottenRows;
}

/** A file that is ready, and where it belongs. */
interface MadeFile {
  readonly from: string;
  readonly to: string;
}

/**
 * Parquet files in folders by date, hour and model. A segment becomes one file in each partition it has rows of, named
 * after it, so that writing it again replaces them. They are made whole elsewhere first; a reader does not look at those
 * of a segment before its cursor says that all are there.
 */
export class ParquetSink implements PredictionSink {
  readonly name = "parquet";
  readonly unit = "segment";
  readonly #options: ParquetSinkOptions;
  readonly #counts = { rows: 0, unreadable: 0 };

  constructor(options: ParquetSinkOptions) {
    this.#options = options;
  }

  get counts(): SinkCounts {
    return this.#counts;
  }

  /** It needs no state: what was written is in the names of the files. */
  async open(): Promise<void> {
    const { temporaryFolder } = this.#options;
    await rm(temporaryFolder, { recursive: true, force: true });
    await mkdir(temporaryFolder, { recursive: true });
  }

  async write(batch: SinkBatch, signal: AbortSignal): Promise<undefined> {
    const folder = join(
      this.#options.temporaryFolder,
      `${batch.segment.table}-${segmentKey(batch.segment)}`,
    );
    try {
      const { partitions, unreadable } = await this.#spread(batch, folder, signal);
      const { files, rowCount } = await this.#copy(batch.segment, partitions, signal);
      signal.throwIfAborted();
      await putInPlace(files);
      if (this.#options.forgotten.isAny) await this.#removeOthers(batch.segment, files);
      const lineCount = partitions.reduce((sum, { rowCount: rows }) => sum + rows, 0);
      this.#counts.rows += rowCount;
      this.#counts.unreadable += unreadable + lineCount - rowCount;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #spread(
    { segment, blocks }: SinkBatch,
    folder: string,
    signal: AbortSignal,
  ): Promise<{ readonly partitions: readonly PartitionLines[]; readonly unreadable: number }> {
    const spreader = await PartitionSpreader.create(folder);
    let unreadable = 0;
    for await (const block of blocks()) {
      signal.throwIfAborted();
      unreadable += await spreadBlock(block, segment, spreader, this.#options.forgotten);
    }
    return { partitions: await spreader.end(), unreadable };
  }

  async #copy(
    segment: SegmentId,
    partitions: readonly PartitionLines[],
    signal: AbortSignal,
  ): Promise<{ readonly files: readonly MadeFile[]; readonly rowCount: number }> {
    if (partitions.length === 0) return { files: [], rowCount: 0 };
    const { duckDb, folder } = this.#options;
    return duckDb.with(async (connection) => {
      const files: MadeFile[] = [];
      let rowCount = 0;
      for (const { partition, path } of partitions) {
        const made = `${path}.parquet`;
        const { rowsChanged } = await connection
          .run(copyLines(segment.table, path, made))
          .catch(throwAsBatchError);
        await rm(path);
        if (rowsChanged === 0) continue;
        await syncFile(made);
        rowCount += rowsChanged;
        files.push({ from: made, to: join(folder, pathIn(partition, segmentKey(segment))) });
      }
      return { files, rowCount };
    }, signal);
  }

  /** Rows that were forgotten since it was written before may have been all that a partition had. */
  async #removeOthers(segment: SegmentId, files: readonly MadeFile[]): Promise<void> {
    const { folder } = this.#options;
    const kept = new Set(files.map(({ to }) => to));
    for (const { path, table } of await listTableFiles(folder)) {
      const full = join(folder, path);
      if (table !== segment.table || nameOf(path) !== segmentKey(segment) || kept.has(full))
        continue;
      await rm(full, { force: true });
      await syncFolder(dirname(full));
    }
  }
}

async function putInPlace(files: readonly MadeFile[]): Promise<void> {
  const folders = new Set<string>();
  for (const { from, to } of files) {
    const folder = dirname(to);
    if (!folders.has(folder)) await makeFolderSynced(folder);
    folders.add(folder);
    await rename(from, to);
  }
  for (const folder of folders) await syncFolder(folder);
}

/** What DuckDB says of files and memory may be better later; anything else is about the rows. */
function throwAsBatchError(error: unknown): never {
  const text = error instanceof Error ? error.message : "";
  if (/^(?:IO|Out of Memory|INTERRUPT|FATAL)/i.test(text)) throw error;
  throw new UnusableBatchError(`Cannot make Parquet of a segment: ${text}`, error);
}
