import { expect, test } from "vitest";
import { LineLimit } from "./line-limit.ts";
import { TestClock } from "./test-clock.ts";

test("pass() lets one line a second through for each thing, with the number of those held back", () => {
  const clock = new TestClock();
  const limit = new LineLimit(clock, 1_000);
  expect([limit.pass("a"), limit.pass("a"), limit.pass("b"), limit.pass("a")]).toEqual([
    0,
    undefined,
    0,
    undefined,
  ]);
  clock.advanceMs(1_000);
  expect([limit.pass("a"), limit.pass("b")]).toEqual([2, 0]);
});

test("pass() remembers at most 1,000 things", () => {
  const limit = new LineLimit(new TestClock(), 1_000);
  for (let i = 0; i < 1_000; i++) limit.pass(`${i}`);
  expect(limit.pass("0")).toBeUndefined();
  expect(limit.pass("one more")).toBe(0);
  expect(limit.pass("0")).toBe(0);
});
