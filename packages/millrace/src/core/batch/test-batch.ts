import { BatchItem, type Arrival, type Batch, type BatchSlice } from "./batch.ts";

/** A request of a test; what it leaves out is the smallest that works. */
export function testItem(
  arrival: Partial<Arrival<string>> & { sequence?: number; rowCostMs?: number } = {},
): BatchItem<string> {
  const { sequence = 0, rowCostMs = 1, deadlineAtMs = 100, ...rest } = arrival;
  return new BatchItem(
    {
      request: "request",
      rows: 1,
      bytes: 8,
      bucket: "a",
      priority: 2,
      receivedMs: 0,
      deadlineAtMs,
      ...rest,
    },
    { objectiveAtMs: deadlineAtMs, rowCostMs, classStepMs: 25, sequence },
  );
}

export function testSlice(item: BatchItem<string> = testItem()): BatchSlice<string> {
  return { item, fromRow: 0, rows: item.rows };
}

export function testBatch(batch: Partial<Batch<string>> = {}): Batch<string> {
  return {
    id: 0,
    executor: 0,
    bucket: "a",
    slices: [testSlice()],
    rows: 1,
    reason: "idle",
    headAgeMs: 0,
    leftAtMs: 0,
    predictedMs: 10,
    ...batch,
  };
}
