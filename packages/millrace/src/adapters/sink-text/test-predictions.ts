import { BlockWriter } from "../../core/predictions/block-writer.ts";
import type { LoggedPrediction } from "../../core/predictions/logged-prediction.ts";
import { testRecord } from "../../core/predictions/test-record.ts";
import type { SinkBatch } from "../../ports/prediction-sink.ts";
import type { ReadBlock } from "../../ports/segments.ts";

/** A prediction of one row, whose id ends with the number. */
export function predictionOf(
  number: number,
  members: Partial<LoggedPrediction> = {},
): LoggedPrediction {
  const predictionId = `01992f3c-7a5e-7cc1-b6d4-${String(number).padStart(12, "0")}`;
  return testRecord({ predictionId, totalUs: 1234, ...members });
}

export function blockOf(records: readonly LoggedPrediction[]): ReadBlock {
  const writer = new BlockWriter();
  for (const record of records) writer.add(record);
  const { bytes, recordCount } = writer.take();
  return { bytes, recordCount, endOffset: bytes.length };
}

export interface BatchPlace {
  readonly writer?: string;
  readonly number?: number;
  readonly from?: number;
}

/** A batch of blocks of so many predictions each. */
export function batchOf(
  blocks: readonly ReadBlock[],
  { writer = "p0-0001", number = 1, from = 0 }: BatchPlace = {},
): SinkBatch {
  return {
    segment: { writer, table: "predictions", number },
    fromOffset: from,
    toOffset: from + blocks.length,
    isWhole: false,
    // eslint-disable-next-line typescript/require-await -- a generator that is given what it gives
    blocks: async function* () {
      yield* blocks;
    },
  };
}
