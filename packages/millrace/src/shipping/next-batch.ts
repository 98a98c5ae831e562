import { segmentFileName, type SegmentId } from "../core/predictions/segment-name.ts";
import type { SinkBatch } from "../ports/prediction-sink.ts";
import type { ReadBlock, Segment, SegmentStore } from "../ports/segments.ts";
import { positionOf, streamOf, type Cursor, type PendingBatch } from "./cursors.ts";

/** Bytes after which a part of a segment is given to a sink that takes parts. */
const BATCH_BYTES = 1024 * 1024;

/** What a sink is to do next. */
export type NextStep =
  | { readonly kind: "write"; readonly batch: SinkBatch }
  /** Nothing of the segment is left for it. */
  | { readonly kind: "pass"; readonly id: SegmentId };

export interface BatchSource {
  readonly store: SegmentStore;
  /** Told of damage each time a batch is read. */
  readonly onDamage: (id: SegmentId, text: string) => void;
}

/**
 * What the sink with this cursor gets next, of the oldest segment it has not got whole.
 * @returns undefined when it has everything there is for it now.
 */
export async function nextStep(
  unit: "segment" | "block",
  cursor: Cursor,
  segments: readonly Segment[],
  source: BatchSource,
): Promise<NextStep | undefined> {
  for (const segment of firstOfEach(cursor, segments)) {
    const step =
      unit === "segment" ? wholeStep(segment, source) : await partStep(segment, cursor, source);
    if (step !== undefined) return step;
  }
  return undefined;
}

/** The oldest segment of each writer and table that is not covered: of each the sink gets one after the other. */
function firstOfEach(cursor: Cursor, segments: readonly Segment[]): readonly Segment[] {
  const first = new Map<string, Segment>();
  for (const segment of segments) {
    const { id } = segment;
    if (id.number < positionOf(cursor, id).number) continue;
    const known = first.get(streamOf(id));
    if (known === undefined || id.number < known.id.number) first.set(streamOf(id), segment);
  }
  return [...first.values()];
}

function wholeStep(segment: Segment, source: BatchSource): NextStep | undefined {
  return segment.isEnded ? { kind: "write", batch: wholeBatch(segment, source) } : undefined;
}

/** All of a segment that has ended. */
export function wholeBatch({ id, byteLength }: Segment, source: BatchSource): SinkBatch {
  return batchOf({ ...id, fromOffset: 0, toOffset: byteLength }, true, source);
}

async function partStep(
  segment: Segment,
  cursor: Cursor,
  source: BatchSource,
): Promise<NextStep | undefined> {
  const { id, isEnded } = segment;
  const { number, offset } = positionOf(cursor, id);
  const fromOffset = number === id.number ? offset : 0;
  const { pending } = cursor;
  if (pending !== undefined && isOf(pending, id) && pending.fromOffset === fromOffset) {
    return { kind: "write", batch: batchOf(pending, false, source) };
  }
  if (!isEnded && segment.byteLength <= fromOffset) return undefined;
  const toOffset = await endOfPart(id, fromOffset, source);
  if (toOffset > fromOffset) {
    return { kind: "write", batch: batchOf({ ...id, fromOffset, toOffset }, false, source) };
  }
  return isEnded ? { kind: "pass", id } : undefined;
}

function isOf(pending: PendingBatch, id: SegmentId): boolean {
  return segmentFileName(pending) === segmentFileName(id) && pending.writer === id.writer;
}

/** Where whole blocks of about `BATCH_BYTES` end. */
async function endOfPart(id: SegmentId, fromOffset: number, source: BatchSource): Promise<number> {
  let endOffset = fromOffset;
  for await (const block of source.store.read(id, fromOffset, () => undefined)) {
    endOffset = block.endOffset;
    if (endOffset - fromOffset >= BATCH_BYTES) break;
  }
  return endOffset;
}

function batchOf(
  { writer, table, number, fromOffset, toOffset }: PendingBatch,
  isWhole: boolean,
  source: BatchSource,
): SinkBatch {
  const segment = { writer, table, number };
  return {
    segment,
    fromOffset,
    toOffset,
    isWhole,
    blocks: () => blocksOf(source, segment, fromOffset, toOffset),
  };
}

async function* blocksOf(
  { store, onDamage }: BatchSource,
  id: SegmentId,
  fromOffset: number,
  toOffset: number,
): AsyncIterable<ReadBlock> {
  for await (const block of store.read(id, fromOffset, (text) => onDamage(id, text))) {
    if (block.endOffset > toOffset) return;
    yield block;
  }
}
