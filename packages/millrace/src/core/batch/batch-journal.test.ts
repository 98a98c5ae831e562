import { expect, test } from "vitest";
import { BatchJournal } from "./batch-journal.ts";
import type { BatchRecord } from "./batch.ts";

const recordOf = (rows: number): BatchRecord => ({
  endedAtMs: 0,
  rows,
  requests: 1,
  bucket: "a",
  reason: "idle",
  headAgeMs: 0,
  predictedMs: 1,
  actualMs: 1,
  executor: 0,
  outcome: "ok",
});

test("records() gives the last 100, oldest first", () => {
  const journal = new BatchJournal();
  for (let rows = 1; rows <= 3; rows++) journal.ended(recordOf(rows));
  expect(journal.records().map(({ rows }) => rows)).toEqual([1, 2, 3]);
  for (let rows = 4; rows <= 250; rows++) journal.ended(recordOf(rows));
  expect(journal.records().map(({ rows }) => rows)).toEqual(
    Array.from({ length: 100 }, (_, i) => 151 + i),
  );
});

test("counts by reason, and has a zero for every reason that did not occur", () => {
  const journal = new BatchJournal();
  journal.left("full");
  journal.left("full");
  journal.dropped("expired");
  journal.bisected();
  expect([journal.leaveCounts.get("full"), journal.leaveCounts.get("idle")]).toEqual([2, 0]);
  expect([journal.dropCounts.get("expired"), journal.dropCounts.get("memory")]).toEqual([1, 0]);
  expect(journal.bisectCount).toBe(1);
});
