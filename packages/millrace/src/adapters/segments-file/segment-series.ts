import { join } from "node:path";
import type { LogBlock, LogTable } from "../../core/predictions/log-block.ts";
import { segmentFileName } from "../../core/predictions/segment-name.ts";
import { rowCountOf, SegmentFile } from "./segment-file.ts";
import type { SegmentFiles } from "./segment-files.ts";

export interface SegmentSeriesOptions {
  readonly files: SegmentFiles;
  readonly table: LogTable;
  readonly writer: string;
  /** Folder of the writer. */
  readonly folder: string;
  /** A segment that is as long ends before the next block. */
  readonly segmentBytesMax: number;
  /** One that is as many rows of the table, too. */
  readonly segmentRowsMax: number;
  /** One that was opened so long ago ends. */
  readonly rollMs: number;
}

/** The segments of one table, one after the other; at most one of them is being written. */
export class SegmentSeries {
  readonly #options: SegmentSeriesOptions;
  #current: SegmentFile | undefined;
  #number = 0;

  constructor(options: SegmentSeriesOptions) {
    this.#options = options;
  }

  get current(): SegmentFile | undefined {
    return this.#current;
  }

  /**
   * The segment the next blocks belong to; opened when there is none.
   * @throws what the file system throws.
   */
  open(nowMs: number): SegmentFile {
    if (this.#current === undefined) {
      const { files, table, writer, folder } = this.#options;
      const name = segmentFileName({ writer, table, number: this.#number + 1 });
      this.#current = new SegmentFile(files, join(folder, name), nowMs);
      this.#number++;
    }
    return this.#current;
  }

  /** @returns the current segment when somebody deleted it; the next blocks go to another. */
  giveUpDeleted(): SegmentFile | undefined {
    const current = this.#current;
    if (current === undefined || this.#options.files.isThere(current.path)) return undefined;
    current.abandon();
    this.#current = undefined;
    return current;
  }

  /** Is the current segment to end before another block is written? */
  isDue(nowMs: number): boolean {
    const current = this.#current;
    if (current === undefined || current.byteLength === 0) return false;
    const { segmentBytesMax, segmentRowsMax, rollMs } = this.#options;
    const isFull = current.byteLength >= segmentBytesMax || current.rowCount >= segmentRowsMax;
    return isFull || nowMs - current.openedAtMs >= rollMs;
  }

  /** Ends the current segment. @returns it, which is still to be synced and closed. @throws then it goes on. */
  end(nowMs: number): SegmentFile | undefined {
    const ended = this.#current;
    ended?.end(nowMs);
    this.#current = undefined;
    return ended;
  }

  /** Blocks at the head of `waiting` that still fit into the segment, at least one. */
  fitting(waiting: readonly LogBlock[], blocksMax: number): number {
    const { segmentBytesMax, segmentRowsMax } = this.#options;
    let leftBytes = segmentBytesMax - (this.#current?.byteLength ?? 0);
    let leftRows = segmentRowsMax - (this.#current?.rowCount ?? 0);
    let count = 0;
    for (const block of waiting.slice(0, blocksMax)) {
      const byteLength = block.bytes.length;
      const rowCount = rowCountOf(block);
      if (count > 0 && (byteLength > leftBytes || rowCount > leftRows)) break;
      leftBytes -= byteLength;
      leftRows -= rowCount;
      count++;
    }
    return count;
  }
}
