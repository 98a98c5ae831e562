import { describe, expect, it } from "vitest";
import { classEndUs, latencyReport, quantileClass, quantileMs } from "./latency-classes.ts";

/** As SQL counts them. */
function classesOf(values: readonly number[]) {
  const counts = new Map<number, number>();
  for (const us of values) {
    const index = Math.floor(Math.log(Math.max(us, 1)) * 100);
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  return [...counts].map(([index, count]) => ({ index, count }));
}

const UNIFORM = classesOf(Array.from({ length: 100_000 }, (_, i) => i + 1));

describe("latencyReport()", () => {
  it("is right to half a hundredth", () => {
    const found = latencyReport(UNIFORM);
    expect(Math.abs((found?.p50 ?? 0) / 50 - 1)).toBeLessThan(0.01);
    expect(Math.abs((found?.p95 ?? 0) / 95 - 1)).toBeLessThan(0.01);
    expect(Math.abs((found?.p99 ?? 0) / 99 - 1)).toBeLessThan(0.01);
    expect(latencyReport([])).toBeUndefined();
  });
});

describe("quantileMs()", () => {
  it("weighs what a row stands for", () => {
    const classes = [
      { index: 100, count: 1 },
      { index: 200, count: 99 },
    ];
    expect(quantileMs(classes, 0.01)).toBeCloseTo(Math.exp(1.005) / 1000, 12);
    expect(quantileMs(classes, 0.02)).toBeCloseTo(Math.exp(2.005) / 1000, 12);
    expect(quantileMs(classes, 1)).toBeCloseTo(Math.exp(2.005) / 1000, 12);
  });
});

describe("classEndUs()", () => {
  it("is the last microsecond of a class, and the next belongs to a higher one", () => {
    for (const us of [1, 2, 99, 1000, 4750, 123_456, 60_000_000]) {
      const index = Math.floor(Math.log(us) * 100);
      const end = classEndUs(index);
      expect(end).toBeGreaterThanOrEqual(us);
      expect(Math.floor(Math.log(end) * 100)).toBe(index);
      expect(Math.floor(Math.log(end + 1) * 100)).toBeGreaterThan(index);
    }
  });

  it("leaves at most a twentieth above that of the 95th percentile", () => {
    const slowest = classEndUs(quantileClass(UNIFORM, 0.95) ?? 0);
    expect(slowest).toBeGreaterThanOrEqual(95_000);
    expect(slowest).toBeLessThan(96_500);
  });
});
