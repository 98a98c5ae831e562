import { describe, expect, test } from "vitest";
import { Bucket } from "./bucket.ts";
import { testItem } from "./test-batch.ts";

const OPTIONS = { rowsMax: 8, runMsMax: Infinity };

describe("Bucket", () => {
  test("counts the rows and requests that wait, by class", () => {
    const bucket = new Bucket<string>("a", OPTIONS);
    bucket.add(testItem({ rows: 2, priority: 1 }));
    bucket.add(testItem({ rows: 3, priority: 2, sequence: 1 }));
    bucket.add(testItem({ rows: 4, priority: 3, sequence: 2 }));
    expect([bucket.rows, bucket.waiting]).toEqual([9, 3]);
    expect([bucket.rowsAhead(1), bucket.rowsAhead(2), bucket.rowsAhead(3)]).toEqual([2, 5, 9]);
  });

  test("send() keeps a request first until its last row has left", () => {
    const bucket = new Bucket<string>("a", OPTIONS);
    const item = testItem({ rows: 5, deadlineAtMs: 10 });
    const next = testItem({ sequence: 1 });
    bucket.add(item);
    bucket.add(next);
    bucket.send(item, 3);
    expect([bucket.first(), bucket.rows, bucket.waiting, item.sentRows]).toEqual([item, 3, 2, 3]);
    bucket.send(item, 2);
    expect([bucket.first(), bucket.rows, bucket.waiting]).toEqual([next, 1, 1]);
  });

  test("drop() takes the rows away that have not left, and first() skips the request", () => {
    const bucket = new Bucket<string>("a", OPTIONS);
    const item = testItem({ rows: 5, deadlineAtMs: 10 });
    const next = testItem({ sequence: 1 });
    bucket.add(item);
    bucket.add(next);
    bucket.send(item, 3);
    item.isGone = true;
    bucket.drop(item);
    expect([bucket.rows, bucket.waiting, bucket.rowsAhead(3)]).toEqual([1, 1, 1]);
    expect([...bucket.items()]).toEqual([next]);
    expect(bucket.first()).toBe(next);
  });

  test("drop() changes nothing when all rows have left", () => {
    const bucket = new Bucket<string>("a", OPTIONS);
    const item = testItem();
    bucket.add(item);
    bucket.send(item, 1);
    item.isGone = true;
    bucket.drop(item);
    expect([bucket.rows, bucket.waiting]).toEqual([0, 0]);
  });

  test("first() is right after thousands have gone from the middle of the queue", () => {
    const bucket = new Bucket<string>("a", OPTIONS);
    const items = Array.from({ length: 5_000 }, (_, sequence) =>
      testItem({ sequence, deadlineAtMs: 1_000 + ((sequence * 7_919) % 5_000) }),
    );
    for (const item of items) bucket.add(item);
    const kept = items.filter((_, i) => i % 10 === 0);
    for (const item of items) {
      if (kept.includes(item)) continue;
      item.isGone = true;
      bucket.drop(item);
    }
    expect([bucket.waiting, [...bucket.items()].length]).toEqual([500, 500]);
    const order = kept.map(() => {
      const first = bucket.first();
      if (first !== undefined) bucket.send(first, 1);
      return first?.orderMs;
    });
    expect(order).toEqual(kept.map(({ orderMs }) => orderMs).sort((a, b) => a - b));
    expect(bucket.first()).toBeUndefined();
  });

  test("starts with what another one has learnt", () => {
    const like = new Bucket<string>("a", OPTIONS);
    for (let i = 0; i < 80; i++) like.model.observe(1 + (i % 8), 6 * (1 + (i % 8)));
    const bucket = new Bucket<string>("b", OPTIONS, like);
    expect(bucket.model.expectMs(4)).toBeCloseTo(24, 1);
    expect(bucket.cap.rows).toBe(1);
  });
});
