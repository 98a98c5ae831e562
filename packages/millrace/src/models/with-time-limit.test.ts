import { expect, test } from "vitest";
import { TestClock } from "../core/test-clock.ts";
import { withTimeLimit } from "./with-time-limit.ts";

function createLimit() {
  const clock = new TestClock();
  return { clock, limit: { clock, ms: 100, error: () => new Error("too long") } };
}

test("withTimeLimit() gives what the work gives, and leaves no timer", async () => {
  const { clock, limit } = createLimit();
  expect(await withTimeLimit(Promise.resolve(7), limit)).toBe(7);
  await expect(withTimeLimit(Promise.reject(new Error("no")), limit)).rejects.toThrow("no");
  expect(clock.timerCount).toBe(0);
});

test("withTimeLimit() rejects when the time is over, and ignores how the work ends", async () => {
  const { clock, limit } = createLimit();
  const work = Promise.withResolvers<number>();
  const result = withTimeLimit(work.promise, limit);
  clock.advanceMs(100);
  await expect(result).rejects.toThrow("too long");
  work.reject(new Error("later"));
});
