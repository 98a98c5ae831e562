import type { JsonValue } from "../core/json.ts";
import type { ReadBlock } from "./segments.ts";
import type { SegmentId } from "../core/predictions/segment-name.ts";

/** A part of a segment that a sink gets at once. */
export interface SinkBatch {
  readonly segment: SegmentId;
  /** Bytes from the start of the segment; the part is the same whenever it is given again. */
  readonly fromOffset: number;
  readonly toOffset: number;
  /** Is it all there will ever be of the segment? */
  readonly isWhole: boolean;
  readonly blocks: () => AsyncIterable<ReadBlock>;
}

/** What a sink has taken since it was opened. */
export interface SinkCounts {
  /** Rows of batches it has taken; a batch it is given again counts again. */
  readonly rows: number;
  /** Records it left out because they could not be read. */
  readonly unreadable: number;
}

/** The batch is at fault, not the sink or its disk: it will never be taken, however often it is given. */
export class UnusableBatchError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "UnusableBatchError";
  }
}

/**
 * Where predictions go. It gets every batch at least once, those of one writer and table in order; giving the same batch
 * again has the effect of giving it once. Every adapter passes test/contract/prediction-sink-contract.ts.
 */
export interface PredictionSink {
  /** Names its cursor: `parquet`. */
  readonly name: string;
  /** `segment`: gets whole segments, once nothing is added to them. `block`: gets what is there, as it comes. */
  readonly unit: "segment" | "block";
  readonly counts: SinkCounts;
  /**
   * Begins where it was.
   * @param state what the last `write` returned that was kept; undefined at the first start.
   */
  open(state: JsonValue | undefined): Promise<void>;
  /**
   * Takes a batch; when it resolves, the batch survives a power failure.
   * @returns what `open` is to get after it; kept together with the cursor.
   * @throws when it cannot now: the batch is given again later. The reason of `signal` when that aborted it;
   * UnusableBatchError when it never will.
   */
  write(batch: SinkBatch, signal: AbortSignal): Promise<JsonValue | undefined>;
  close(): Promise<void>;
}
