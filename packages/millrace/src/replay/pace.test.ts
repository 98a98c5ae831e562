import { describe, expect, it } from "vitest";
import { TestClock } from "../core/test-clock.ts";
import { Pace } from "./pace.ts";

const START_US = 1_700_000_000_000_000;

/** Lets promises that are settled run on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

describe("Pace", () => {
  it("lets the first request go at once and the others when it is their time, faster by its factor", async () => {
    const clock = new TestClock();
    const pace = new Pace(clock, 4);
    const { signal } = new AbortController();
    const went: string[] = [];
    const send = async (atMs: number): Promise<void> => {
      await pace.wait(START_US + atMs * 1000, signal);
      pace.sent(START_US + atMs * 1000);
      went.push(`${atMs} at ${clock.nowMs()}`);
    };
    clock.advanceMs(5);
    await send(0);
    const second = send(400);
    clock.advanceMs(99);
    await settle();
    expect(went).toEqual(["0 at 5"]);
    clock.advanceMs(1);
    await second;
    expect(went).toEqual(["0 at 5", "400 at 105"]);
    expect(pace.lateMsMax).toBe(0);
  });

  it("does not wait for what is overdue, and tells how late it was", async () => {
    const clock = new TestClock();
    const pace = new Pace(clock, 1);
    const { signal } = new AbortController();
    await pace.wait(START_US, signal);
    clock.advanceMs(50);
    await pace.wait(START_US + 20_000, signal);
    pace.sent(START_US + 20_000);
    expect([pace.lateMsMax, clock.timerCount]).toEqual([30, 0]);
  });

  it("stops waiting when it is aborted, and leaves no timer", async () => {
    const clock = new TestClock();
    const pace = new Pace(clock, 1);
    const controller = new AbortController();
    await pace.wait(START_US, controller.signal);
    const waiting = pace.wait(START_US + 1e9, controller.signal);
    controller.abort();
    await waiting;
    await pace.wait(START_US + 2e9, controller.signal);
    expect(clock.timerCount).toBe(0);
  });
});
