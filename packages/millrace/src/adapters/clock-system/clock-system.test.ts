import { expect, test } from "vitest";
import { systemClock } from "./clock-system.ts";

/** Keeps the thread busy, so that the loop's own time falls behind. */
function busyMs(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

test("schedule() never runs before its time when the turn of the loop began long before", async () => {
  const earlyMs: number[] = [];
  for (let i = 0; i < 30; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    busyMs(3);
    const dueMs = systemClock.nowMs() + 4.3;
    await new Promise<void>((resolve) => systemClock.schedule(4.3, resolve));
    if (systemClock.nowMs() < dueMs) earlyMs.push(dueMs - systemClock.nowMs());
  }
  expect(earlyMs).toEqual([]);
});

test("schedule() does not run what was cancelled", async () => {
  let runs = 0;
  const cancel = systemClock.schedule(1, () => runs++);
  cancel();
  await new Promise<void>((resolve) => systemClock.schedule(5, resolve));
  expect(runs).toBe(0);
});
