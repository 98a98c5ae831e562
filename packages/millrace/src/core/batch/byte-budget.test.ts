import { expect, test } from "vitest";
import { ByteBudget } from "./byte-budget.ts";

test("take() takes up to bytesMax and nothing beyond", () => {
  const budget = new ByteBudget(100);
  expect([budget.take(60), budget.take(40), budget.take(1)]).toEqual([true, true, false]);
  expect(budget.usedBytes).toBe(100);
});

test("take() takes one request alone, however large", () => {
  const budget = new ByteBudget(100);
  expect(budget.take(500)).toBe(true);
  expect(budget.take(1)).toBe(false);
});

test("give() makes room again", () => {
  const budget = new ByteBudget(100);
  budget.take(60);
  budget.take(40);
  budget.give(60);
  expect([budget.take(61), budget.take(60), budget.usedBytes]).toEqual([false, true, 100]);
});
