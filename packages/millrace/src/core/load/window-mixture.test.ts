import { expect, it } from "vitest";
import { HdrHistogram } from "../stats/hdr-histogram.ts";
import { quantile } from "../stats/quantile.ts";
import { TestRandom } from "../test-random.ts";
import { logQuantileOf } from "./window-mixture.ts";

const window = (
  requests: number,
  [p50, p90, p99, max]: readonly [number, number, number, number],
) => ({
  ok: requests,
  failed: 0,
  p50_ms: p50,
  p90_ms: p90,
  p99_ms: p99,
  max_ms: max,
});

it("logQuantileOf() one window is what the window says", () => {
  const only = [window(100, [10, 20, 40, 80])];
  expect(Math.exp(logQuantileOf(only, 0.5))).toBeCloseTo(10, 3);
  expect(Math.exp(logQuantileOf(only, 0.9))).toBeCloseTo(20, 3);
  expect(Math.exp(logQuantileOf(only, 0.99))).toBeCloseTo(40, 2);
});

it("logQuantileOf() counts windows by their requests", () => {
  const fast = window(90, [1, 1, 1, 1]);
  const slow = window(10, [100, 100, 100, 100]);
  expect(Math.exp(logQuantileOf([fast, slow], 0.89))).toBeCloseTo(1, 2);
  expect(Math.exp(logQuantileOf([fast, slow], 0.91))).toBeCloseTo(100, 1);
  expect(Math.exp(logQuantileOf([fast, { ...slow, failed: 1000 }], 0.5))).toBeCloseTo(100, 1);
});

it.each([0.5, 0.9, 0.99])(
  "logQuantileOf() of share %d is within 8 % of that of all requests",
  (share) => {
    const random = new TestRandom(3);
    const all: number[] = [];
    const windows = Array.from({ length: 30 }, (_, i) => {
      const histogram = new HdrHistogram();
      const scale = 5 + 3 * Math.sin(i);
      for (let request = 0; request < 500; request++) {
        const ms = 2 - scale * Math.log(1 - random.next());
        all.push(ms);
        histogram.record(ms * 1000);
      }
      const at = (q: number): number => histogram.quantile(q) / 1000;
      return window(500, [at(0.5), at(0.9), at(0.99), histogram.max / 1000]);
    });
    const truth = quantile(Float64Array.from(all).toSorted(), share);
    expect(Math.exp(logQuantileOf(windows, share)) / truth).toBeGreaterThan(0.92);
    expect(Math.exp(logQuantileOf(windows, share)) / truth).toBeLessThan(1.08);
  },
);

it("logQuantileOf() of latencies of 0 is finite", () => {
  expect(logQuantileOf([window(5, [0, 0, 0, 0])], 0.5)).toBeCloseTo(Math.log(0.001), 6);
});
