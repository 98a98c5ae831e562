import { expect, test } from "vitest";
import { Backlog } from "./backlog.ts";
import { testItem } from "./test-batch.ts";

test("msAhead() counts a class and the more urgent ones, each row at its own cost", () => {
  const backlog = new Backlog();
  backlog.add(testItem({ priority: 1, rowCostMs: 2 }), 3);
  backlog.add(testItem({ priority: 2, rowCostMs: 5 }), 1);
  backlog.add(testItem({ priority: 3, rowCostMs: 0.5 }), 4);
  expect([backlog.msAhead(1), backlog.msAhead(2), backlog.msAhead(3)]).toEqual([6, 11, 13]);
  expect(backlog.rows).toBe(8);
});

test("add() takes rows away that leave", () => {
  const backlog = new Backlog();
  const item = testItem({ priority: 2, rowCostMs: 3 });
  backlog.add(item, 5);
  backlog.add(item, -2);
  expect([backlog.rows, backlog.msAhead(2)]).toEqual([3, 9]);
});

test("msAhead() is exactly 0 when nothing waits, after any number of fractions", () => {
  const backlog = new Backlog();
  const items = [0.1, 0.7, 1 / 3].map((rowCostMs) => testItem({ rowCostMs }));
  for (const item of items) backlog.add(item, 3);
  for (const item of items) backlog.add(item, -1);
  for (const item of [...items].reverse()) backlog.add(item, -2);
  expect([backlog.rows, backlog.msAhead(3)]).toEqual([0, 0]);
});

test("msAhead() is never negative", () => {
  const backlog = new Backlog();
  const cheap = testItem({ rowCostMs: 0.1 });
  backlog.add(testItem({ priority: 3 }), 1);
  for (let i = 0; i < 3; i++) backlog.add(cheap, 1);
  backlog.add(cheap, -3);
  expect(backlog.msAhead(2)).toBeGreaterThanOrEqual(0);
});
