import { expect, it } from "vitest";
import { LatencyRecorder } from "./latency-recorder.ts";

it("LatencyRecorder tells percentiles to three digits, and zero as zero", () => {
  const recorder = new LatencyRecorder();
  expect(recorder.percentiles()).toBeUndefined();
  for (let us = 1; us <= 10_000; us++) recorder.record(us);
  const { p50, p90, p99, max } = recorder.percentiles() ?? { p50: 0, p90: 0, p99: 0, max: 0 };
  expect(Math.abs(p50 - 5000) / 5000).toBeLessThan(0.002);
  expect(Math.abs(p90 - 9000) / 9000).toBeLessThan(0.002);
  expect(Math.abs(p99 - 9900) / 9900).toBeLessThan(0.002);
  expect(max).toBe(10_000);
  const zero = new LatencyRecorder();
  zero.record(0);
  expect(zero.percentiles()).toEqual({ p50: 0, p90: 0, p99: 0, max: 0 });
});
