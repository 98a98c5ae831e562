import { join } from "node:path";
import type { LogBlock, LogTable } from "../../core/predictions/log-block.ts";
import { segmentFileName } from "../../core/predictions/segment-name.ts";
import { SegmentFile } from "./segment-file.ts";
import type { SegmentFiles } from "./segment-files.ts";

export interface SegmentSeriesOptions {
  readonly files: SegmentFiles;
  readonly table: LogTable;
  readonly writer: string;
  /** Folder of the writer. */
  readonly folder: string;
  /** A segment that is as long ends before the next block. */
  readonly segmentBytesMax: number;
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
    const { segmentBytesMax, rollMs } = this.#options;
    return current.byteLength >= segmentBytesMax || nowMs - current.openedAtMs >= rollMs;
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
    let leftBytes = this.#options.segmentBytesMax - (this.#current?.byteLength ?? 0);
    let count = 0;
    for (const { bytes } of waiting.slice(0, blocksMax)) {
      if (count > 0 && bytes.length > leftBytes) break;
      leftBytes -= bytes.length;
      count++;
    }
    return count;
  }
}
