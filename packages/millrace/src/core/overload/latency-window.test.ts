import { describe, expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import { LatencyWindow } from "./latency-window.ts";

function windowOf(clock: TestClock, samples: readonly number[]): LatencyWindow {
  const window = new LatencyWindow(clock);
  for (const sample of samples) window.record(sample);
  return window;
}

const UP_TO_100 = Array.from({ length: 100 }, (_, i) => 100 - i);

describe("LatencyWindow", () => {
  test("quantileMs() is the latency that the share of the calls had at most", () => {
    const window = windowOf(new TestClock(), UP_TO_100);
    expect([0, 0.5, 0.95, 1].map((share) => window.quantileMs(share))).toEqual([1, 50, 95, 100]);
  });

  test("quantileMs() knows nothing of fewer than 20 calls", () => {
    const window = windowOf(new TestClock(), new Array<number>(19).fill(5));
    expect(window.quantileMs(0.5)).toBeUndefined();
    window.record(5);
    expect(window.quantileMs(0.5)).toBe(5);
  });

  test("quantileMs() looks at the latest 256 calls", () => {
    const window = windowOf(new TestClock(), UP_TO_100);
    for (let i = 0; i < 256; i++) window.record(7);
    expect(window.quantileMs(1)).toBe(7);
  });

  test("quantileMs() forgets what was before 10 seconds without a call", () => {
    const clock = new TestClock();
    const window = windowOf(clock, UP_TO_100);
    clock.advanceMs(10_000);
    expect(window.quantileMs(0.5)).toBe(50);
    clock.advanceMs(1);
    expect(window.quantileMs(0.5)).toBeUndefined();
    window.record(3);
    expect(window.quantileMs(0.5)).toBeUndefined();
  });
});
