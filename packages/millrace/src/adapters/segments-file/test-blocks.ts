import type { LogBlock, LogTable } from "../../core/predictions/log-block.ts";
import type { Segment, SegmentStore } from "../../ports/segments.ts";

/** A block that tells which one it is: its bytes are its number, again and again. */
export function numberedBlock(
  number: number,
  { byteLength = 400, table = "predictions" as LogTable } = {},
): LogBlock {
  const bytes = new Uint8Array(Math.max(4, byteLength));
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, number, true);
  return { table, recordCount: 1 + (number % 100), bytes };
}

export interface NumbersRead {
  /** In the order of the segments. */
  readonly numbers: readonly number[];
  readonly damages: readonly string[];
}

/** @throws when a block is not one that `numberedBlock` made. */
export async function readNumbers(
  store: SegmentStore,
  isWanted: (segment: Segment) => boolean = () => true,
): Promise<NumbersRead> {
  const numbers: number[] = [];
  const damages: string[] = [];
  for (const segment of (await store.list()).filter(isWanted)) {
    for await (const { bytes, recordCount } of store.read(segment.id, 0, (text) => {
      damages.push(text);
    })) {
      numbers.push(numberOf(bytes, recordCount));
    }
  }
  return { numbers, damages };
}

function numberOf(bytes: Uint8Array, recordCount: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = view.getUint32(0, true);
  for (let at = 4; at + 4 <= bytes.length; at += 4) {
    if (view.getUint32(at, true) !== number)
      throw new Error(`Block ${number} is mixed with others`);
  }
  if (recordCount !== 1 + (number % 100)) throw new Error(`Block ${number} has a wrong count`);
  return number;
}
