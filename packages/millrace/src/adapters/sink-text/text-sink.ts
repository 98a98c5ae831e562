import type { JsonValue } from "../../core/json.ts";
import { readBlock } from "../../core/predictions/block-reader.ts";
import { rowCountOf } from "../../core/predictions/log-rows.ts";
import type { LoggedPrediction } from "../../core/predictions/logged-prediction.ts";
import type { PredictionSink, SinkBatch, SinkCounts } from "../../ports/prediction-sink.ts";
import type { ReadBlock } from "../../ports/segments.ts";
import { TextFile, type TextFileEnd, type TextFileOptions } from "./text-file.ts";
import { textLines } from "./text-line.ts";

/** Writers whose place is known: batches of more of them are not expected twice. */
const WRITERS_MAX = 256;

const NO_COUNTS: SinkCounts = { rows: 0, unreadable: 0 };

interface Place {
  readonly number: number;
  readonly offset: number;
}

export interface TextSinkOptions extends TextFileOptions {
  /** Is the prediction to be left out, because whom it was for is forgotten? */
  readonly isForgotten?: (unitHash: string, receivedUs: number) => boolean;
}

/** Writes predictions as lines of text, for those who tail logs. What is reported of them later is not in it. */
export class TextSink implements PredictionSink {
  readonly name = "text";
  readonly unit = "block";
  readonly #file: TextFile;
  readonly #isForgotten: (unitHash: string, receivedUs: number) => boolean;
  #counts: SinkCounts = NO_COUNTS;
  #end: TextFileEnd | undefined;
  /** Up to where each writer's predictions are written since `open`. */
  readonly #places = new Map<string, Place>();

  constructor({ isForgotten = () => false, ...options }: TextSinkOptions) {
    this.#file = new TextFile(options);
    this.#isForgotten = isForgotten;
  }

  get counts(): SinkCounts {
    return this.#counts;
  }

  async open(state: JsonValue | undefined): Promise<void> {
    this.#end = readEnd(state);
    this.#counts = NO_COUNTS;
    this.#places.clear();
    await this.#file.open(this.#end);
  }

  async write(batch: SinkBatch, signal: AbortSignal): Promise<JsonValue | undefined> {
    const { segment, toOffset } = batch;
    if (segment.table === "predictions" && !this.#isWritten(batch)) {
      await this.#append(batch, signal);
      this.#places.delete(segment.writer);
      this.#places.set(segment.writer, { number: segment.number, offset: toOffset });
      const [oldest] = this.#places.keys();
      if (this.#places.size > WRITERS_MAX && oldest !== undefined) this.#places.delete(oldest);
    }
    return this.#end === undefined ? undefined : { ...this.#end };
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** It is given again when its cursor could not be kept. */
  #isWritten({ segment, toOffset }: SinkBatch): boolean {
    const place = this.#places.get(segment.writer);
    if (place === undefined || segment.number > place.number) return false;
    return segment.number < place.number || toOffset <= place.offset;
  }

  async #append({ segment, blocks }: SinkBatch, signal: AbortSignal): Promise<void> {
    let { rows, unreadable } = this.#counts;
    let isBegun = false;
    try {
      for await (const block of blocks()) {
        signal.throwIfAborted();
        const records = readRecords(block);
        if (records === undefined) unreadable += block.recordCount;
        const kept = records?.filter((record) => !this.#isLeftOut(record)) ?? [];
        const lines = kept.map((record) => textLines(record, segment.writer));
        const [first] = lines;
        if (first === undefined) continue;
        if (!isBegun) await this.#file.begin(Buffer.from(first.slice(0, first.indexOf("\n") + 1)));
        isBegun = true;
        await this.#file.append(lines.join(""));
        for (const record of kept) rows += rowCountOf(record);
      }
      if (isBegun) this.#end = await this.#file.commit();
      this.#counts = { rows, unreadable };
    } catch (error) {
      await this.#file.undo().catch(() => undefined); // it is tried again before the next batch
      throw error;
    }
  }

  #isLeftOut({ unitHash, receivedUs }: LoggedPrediction): boolean {
    return unitHash !== undefined && this.#isForgotten(unitHash, receivedUs);
  }
}

/** @returns undefined for a block of another kind of bytes. */
function readRecords({ bytes }: ReadBlock): readonly LoggedPrediction[] | undefined {
  try {
    return readBlock(bytes);
  } catch {
    return undefined;
  }
}

function readEnd(state: JsonValue | undefined): TextFileEnd | undefined {
  if (typeof state !== "object" || state === null || !("bytes" in state)) return undefined;
  const { bytes, tail } = state;
  return typeof bytes === "number" && typeof tail === "string" ? { bytes, tail } : undefined;
}
