import { readBlock } from "../../core/predictions/block-reader.ts";
import { rowCountOf } from "../../core/predictions/log-rows.ts";
import { exposureLines } from "../../core/predictions/exposure-lines.ts";
import { feedbackLines } from "../../core/predictions/feedback-lines.ts";
import type { FeedbackRow } from "../../core/predictions/feedback-row.ts";
import type { LogTable } from "../../core/predictions/log-block.ts";
import type { LoggedPrediction } from "../../core/predictions/logged-prediction.ts";
import { rowLines } from "../../core/predictions/row-lines.ts";
import type { SegmentId } from "../../core/predictions/segment-name.ts";
import type { ReadBlock } from "../../ports/segments.ts";
import type { PartitionSpreader } from "./partition-lines.ts";
import { exposurePartition, feedbackPartition, predictionPartition } from "./table-path.ts";

/** Rows that must not become a part of the tables any more. */
export interface ForgottenRows {
  /** Is anything forgotten at all? */
  readonly isAny: boolean;
  /** @param tsUs when it came. */
  has(unitHash: string, tsUs: number): boolean;
  /** Is what is said of a prediction forgotten? @param predictionId with or without `#row`. @param tsUs when it was said. */
  hasPrediction(predictionId: string, tsUs: number): boolean;
}

/** Puts the rows of a block where they belong. @returns records that cannot be read. */
export async function spreadBlock(
  block: ReadBlock,
  segment: SegmentId,
  spreader: PartitionSpreader,
  forgotten: ForgottenRows,
): Promise<number> {
  const unreadable = await SPREAD[segment.table](block, segment, spreader, forgotten);
  await spreader.breathe();
  return unreadable;
}

type Spread = (
  block: ReadBlock,
  segment: SegmentId,
  spreader: PartitionSpreader,
  forgotten: ForgottenRows,
) => number | Promise<number>;

const SPREAD: Readonly<Record<LogTable, Spread>> = {
  predictions: spreadPredictions,
  feedback: spreadFeedback,
  exposures: spreadExposures,
};

async function spreadPredictions(
  { bytes, recordCount }: ReadBlock,
  { writer }: SegmentId,
  spreader: PartitionSpreader,
  forgotten: ForgottenRows,
): Promise<number> {
  const records = readIfPossible(bytes);
  if (records === undefined) return recordCount;
  let unreadable = 0;
  const partitions = new HourPartitions();
  for (const record of records) {
    const { unitHash, receivedUs, context } = record;
    if (unitHash !== undefined && forgotten.has(unitHash, receivedUs)) continue;
    const lines = linesIfPossible(record, writer);
    if (lines === undefined) unreadable++;
    else spreader.add(partitions.of(receivedUs, context.model), lines, rowCountOf(record));
    await spreader.breathe();
  }
  return unreadable;
}

function readIfPossible(bytes: Uint8Array): readonly LoggedPrediction[] | undefined {
  try {
    // They come in the order in which they were answered.
    return readBlock(bytes).toSorted((a, b) => a.receivedUs - b.receivedUs);
  } catch {
    return undefined;
  }
}

function linesIfPossible(record: LoggedPrediction, node: string): string | undefined {
  try {
    return rowLines(record, node);
  } catch {
    return undefined;
  }
}

function spreadFeedback(
  { bytes }: ReadBlock,
  _segment: SegmentId,
  spreader: PartitionSpreader,
  forgotten: ForgottenRows,
): number {
  let unreadable = 0;
  for (const { text, row } of feedbackLines(bytes)) {
    if (row === undefined) unreadable++;
    else if (!isForgotten(row, forgotten)) {
      spreader.add(feedbackPartition(row.received_ts), `${text}\n`, 1);
    }
  }
  return unreadable;
}

function isForgotten(
  { unit_hash: unitHash, prediction_id: predictionId, received_ts: receivedUs }: FeedbackRow,
  forgotten: ForgottenRows,
): boolean {
  if (typeof unitHash === "string" && forgotten.has(unitHash, receivedUs)) return true;
  return typeof predictionId === "string" && forgotten.hasPrediction(predictionId, receivedUs);
}

function spreadExposures(
  { bytes }: ReadBlock,
  _segment: SegmentId,
  spreader: PartitionSpreader,
  forgotten: ForgottenRows,
): number {
  let unreadable = 0;
  for (const { text, row } of exposureLines(bytes)) {
    if (row === undefined) unreadable++;
    else if (typeof row.unit_hash !== "string" || !forgotten.has(row.unit_hash, row.ts)) {
      spreader.add(exposurePartition(row.ts), `${text}\n`, 1);
    }
  }
  return unreadable;
}

/** Most rows of a block are of the hour and the model of the one before. */
class HourPartitions {
  #hour = -1;
  #model = "";
  #partition = "";

  of(tsUs: number, model: string): string {
    const hour = Math.floor(tsUs / 3_600_000_000);
    if (hour !== this.#hour || model !== this.#model) {
      this.#hour = hour;
      this.#model = model;
      this.#partition = predictionPartition(tsUs, model);
    }
    return this.#partition;
  }
}
