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

  test("lets a request of class 3 be overtaken by class 1 with a deadline up to two steps later", () => {
    const old = testItem({ priority: 3, deadlineAtMs: 1_000 });
    const next = testItem({ priority: 1, receivedMs: 49, deadlineAtMs: 1_049 });
    const later = testItem({ priority: 1, receivedMs: 51, deadlineAtMs: 1_051 });
    expect([isBefore(next, old), isBefore(old, later)]).toEqual([true, true]);
  });
});
