import { describe, expect, test } from "vitest";
import type { BatchItem } from "./batch.ts";
import { testItem } from "./test-batch.ts";

function isBefore(a: BatchItem<string>, b: BatchItem<string>): boolean {
  return a.orderMs < b.orderMs;
}

describe("BatchItem.orderMs", () => {
  test("puts the earlier deadline first inside every class, whoever came first", () => {
    for (const priority of [1, 2, 3] as const) {
      const early = testItem({ priority, receivedMs: 0, deadlineAtMs: 100 });
      const late = testItem({ priority, receivedMs: 60, deadlineAtMs: 120 });
      const urgent = testItem({ priority, receivedMs: 60, deadlineAtMs: 90 });
      expect([isBefore(early, late), isBefore(urgent, early)], `class ${priority}`).toEqual([
        true,
        true,
      ]);
    }
  });

  test("puts the more urgent class first when all else is equal", () => {
    const [one, two, three] = ([1, 2, 3] as const).map((priority) => testItem({ priority }));
    expect(isBefore(one as BatchItem<string>, two as BatchItem<string>)).toBe(true);
    expect(isBefore(two as BatchItem<string>, three as BatchItem<string>)).toBe(true);
  });

  test("puts an old request of class 3 before new ones of class 1 with the same time to live", () => {
    const old = testItem({ priority: 3, receivedMs: 0, deadlineAtMs: 1_000 });
    const next = testItem({ priority: 1, receivedMs: 10, deadlineAtMs: 1_010 });
    const later = testItem({ priority: 1, receivedMs: 990, deadlineAtMs: 1_990 });
    expect([isBefore(next, old), isBefore(old, later)]).toEqual([true, true]);
  });
});
