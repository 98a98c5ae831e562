import { exposureLines } from "../../core/predictions/exposure-lines.ts";
import type { ExposureRow } from "../../core/predictions/exposure-row.ts";
import type { LogBlock, LogTable } from "../../core/predictions/log-block.ts";
import type { LoggedPrediction } from "../../core/predictions/logged-prediction.ts";
import { readBlock } from "../../core/predictions/block-reader.ts";
import type { SegmentWriter, SegmentWriterEvents } from "../../ports/segments.ts";

/** For tests: keeps blocks in memory, and answers when it is told to. */
export class TestSegmentWriter implements SegmentWriter {
  readonly blocks: LogBlock[] = [];
  readonly usage = { writtenBytes: 7, walBytes: 8, durableLagMs: 9_000 };
  /** Set when it is opened. */
  events: SegmentWriterEvents | undefined;
  /** Are blocks taken and not yet written? */
  isHeld = false;
  isClosed = false;
  #held: PromiseWithResolvers<void>[] = [];

  open(events: SegmentWriterEvents): this {
    this.events = events;
    return this;
  }

  append(block: LogBlock): Promise<void> {
    this.blocks.push(block);
    if (!this.isHeld) return Promise.resolve();
    const answer = Promise.withResolvers<void>();
    this.#held.push(answer);
    return answer.promise;
  }

  /** Writes what it has, or says that it never will. */
  release(error?: Error): void {
    this.isHeld = false;
    for (const { resolve, reject } of this.#held.splice(0)) {
      if (error === undefined) resolve();
      else reject(error);
    }
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  /** What was given since it was asked before. */
  takePredictions(): LoggedPrediction[] {
    return this.#take("predictions").flatMap(({ bytes }) => readBlock(bytes));
  }

  /** The same of exposures. */
  takeExposures(): ExposureRow[] {
    const lines = this.#take("exposures").flatMap(({ bytes }) => [...exposureLines(bytes)]);
    return lines.map(({ row, text }) => {
      if (row === undefined) throw new Error(`No exposure: ${text}`);
      return row;
    });
  }

  #take(table: LogTable): readonly LogBlock[] {
    const all = this.blocks.splice(0);
    this.blocks.push(...all.filter((block) => block.table !== table));
    return all.filter((block) => block.table === table);
  }
}
