import { expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import type { Clock } from "../clock.ts";
import { EpochTime } from "./epoch-time.ts";

/** A wall clock in whole milliseconds, `offMs` away from what `EpochTime` has seen before. */
class CoarseClock extends TestClock {
  offMs = 0.4;

  override wallMs(): number {
    return Math.floor(1_700_000_000_000 + this.offMs + this.nowMs());
  }
}

test("EpochTime finds the fraction of a millisecond that the wall clock leaves out", () => {
  const clock = new CoarseClock();
  const epoch = new EpochTime(clock satisfies Clock);
  let foundMs = 0;
  for (let i = 0; i < 100; i++) {
    clock.advanceMs(0.37);
    foundMs = epoch.at(clock.nowMs()) - clock.nowMs();
  }
  expect(foundMs).toBeCloseTo(1_700_000_000_000.4, 1);
});

test("EpochTime keeps the distance of two times, whatever it learns between them", () => {
  const clock = new CoarseClock();
  const epoch = new EpochTime(clock);
  for (let i = 0; i < 50; i++) {
    clock.advanceMs(1.13);
    const nowMs = clock.nowMs();
    expect(epoch.at(nowMs) - epoch.at(nowMs - 1)).toBeCloseTo(1, 3);
  }
});

test("EpochTime follows a wall clock that is set, forward and back", () => {
  const clock = new CoarseClock();
  const epoch = new EpochTime(clock);
  epoch.at(0);
  for (const offMs of [90_000, -90_000]) {
    clock.offMs = offMs;
    expect(epoch.at(clock.nowMs())).toBe(1_700_000_000_000 + offMs);
  }
});
