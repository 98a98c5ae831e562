import { readBlock } from "../core/predictions/block-reader.ts";
import { blockTimeUs } from "../core/predictions/block-time.ts";
import { EXPLAINED_ROWS_MAX } from "../core/predictions/explanation.ts";
import type { LoggedPrediction } from "../core/predictions/logged-prediction.ts";
import { rowsOf } from "../core/predictions/log-rows.ts";
import type { PredictionKey } from "../core/predictions/prediction-key.ts";
import type { PredictionRow } from "../core/predictions/prediction-row.ts";
import type { Segment, SegmentStore } from "../ports/segments.ts";

/** How much earlier than its id a prediction may seem to be finished, by a clock that was set. */
const EARLY_MS_MAX = 100;
/** How long after its id was made a prediction is looked for. */
const LATE_MS_MAX = 120_000;
/** So much behind a prediction is looked through for its shadows, which are written a moment later. */
const SHADOW_BYTES_MAX = 1024 * 1024;
/** A part of a segment of this size is looked through; a larger one is halved. */
const PART_BYTES = 1024 * 1024;

/**
 * Looks for a prediction that is not a row of a file yet. Its id tells when it was made, so only the part of each segment
 * that was written then is looked at, and only a block that has the id's bytes is unpacked. One that took longer than two
 * minutes is found when its segment has become a file.
 * @returns its rows as `FoundRows` has them; undefined when no segment has it.
 */
export async function findInSegments(
  store: SegmentStore,
  key: PredictionKey,
): Promise<readonly PredictionRow[] | undefined> {
  for (const segment of await store.list()) {
    const { id, changedAtMs } = segment;
    if (id.table !== "predictions" || changedAtMs < key.madeAtMs - EARLY_MS_MAX) continue;
    const records = await findInSegment(store, segment, key).catch(ignoreGone);
    // What shadows said alone does not tell what was answered: that is in another segment, or in a file.
    if (records?.some(({ context }) => context.role !== "shadow") !== true) continue;
    const found = records.flatMap((record) => explainedRows(record, id.writer, key));
    return found.length === 0 ? undefined : found;
  }
  return undefined;
}

/** What a shadow says is the same in all of its rows. */
function explainedRows(
  record: LoggedPrediction,
  node: string,
  { row }: PredictionKey,
): readonly PredictionRow[] {
  const rows = rowsOf(record, node);
  if (record.context.role === "shadow") return rows.slice(0, 1);
  return row === undefined ? rows.slice(0, EXPLAINED_ROWS_MAX) : rows.slice(row, row + 1);
}

async function findInSegment(
  store: SegmentStore,
  segment: Segment,
  { id, madeAtMs }: PredictionKey,
): Promise<readonly LoggedPrediction[] | undefined> {
  const found: LoggedPrediction[] = [];
  let readBytes = 0;
  const wanted = Buffer.from(id, "latin1");
  const fromOffset = await offsetBefore(store, segment, (madeAtMs - EARLY_MS_MAX) * 1000);
  for await (const { bytes } of store.read(segment.id, fromOffset, ignoreDamage)) {
    if ((blockTimeUs(bytes) ?? 0) > (madeAtMs + LATE_MS_MAX) * 1000) break;
    if (found.length > 0) readBytes += bytes.byteLength;
    if (readBytes > SHADOW_BYTES_MAX) break;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!view.includes(wanted)) continue;
    for (const record of readBlock(bytes)) if (record.predictionId === id) found.push(record);
  }
  return found.length === 0 ? undefined : found;
}

/** @returns an offset, not always the beginning of a block, before which everything was finished before a time. */
async function offsetBefore(
  store: SegmentStore,
  { id, byteLength }: Segment,
  timeUs: number,
): Promise<number> {
  let from = 0;
  let to = byteLength;
  while (to - from > PART_BYTES) {
    const middle = Math.floor((from + to) / 2);
    const blockUs = await firstTimeUs(store, id, middle);
    if (blockUs !== undefined && blockUs < timeUs) from = middle;
    else to = middle;
  }
  return from;
}

/** When the first block behind an offset begins; the store goes on with it as it does behind damage. */
async function firstTimeUs(
  store: SegmentStore,
  id: Segment["id"],
  offset: number,
): Promise<number | undefined> {
  for await (const { bytes } of store.read(id, offset, ignoreDamage)) {
    const timeUs = blockTimeUs(bytes);
    if (timeUs !== undefined) return timeUs;
  }
  return undefined;
}

/** Whoever ships it tells of it. */
function ignoreDamage(): void {}

/** Shipped and deleted meanwhile: a file has it now. */
function ignoreGone(): undefined {}
