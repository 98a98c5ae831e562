import { describe, expect, it } from "vitest";
import { HdrHistogram } from "../../core/stats/hdr-histogram.ts";
import { percentileChart } from "./percentile-chart.ts";
import { testLoadReport } from "./test-load-report.ts";

describe("percentileChart()", () => {
  it("goes from the fastest to the very slowest, each value that of its percentile", () => {
    const histogram = new HdrHistogram();
    for (let us = 1; us <= 10_000; us++) histogram.record(us);
    const chart = percentileChart(testLoadReport({ facts: { histogram: histogram.toJSON() } }));
    const values = new Map(chart?.xs.map((x, at) => [x, chart.series[0]?.values[at]]));
    expect(chart?.xs[0]).toBe(1);
    expect(chart?.xs.at(-1)).toBe(10_000);
    // The vectors of HdrHistogram with 3 digits: p50 5.003, p90 9.007, p99 9.903, p99.9 9.991 ms.
    expect([2, 10, 100, 1000].map((x) => values.get(x))).toEqual([5.003, 9.007, 9.903, 9.991]);
    expect(values.get(10_000)).toBeCloseTo(10, 1);
  });

  it("has the service time at the percentiles that enough requests say something of", () => {
    const { service } = testLoadReport().millrace;
    const chart = percentileChart(
      testLoadReport({ facts: { service: { ...service, count: 500 } } }),
    );
    const shown = chart?.xs.filter((_, at) => chart.series[1]?.values[at] !== null);
    expect(shown).toEqual([2, 10, 20, 100]);
  });

  it("is not there where nothing was measured", () => {
    expect(percentileChart(testLoadReport({ windows: 0 }))).toBeUndefined();
  });

  it("stays small, however much was measured", () => {
    const histogram = new HdrHistogram();
    histogram.record(1000, 4e9);
    histogram.record(2000, 4e9);
    const chart = percentileChart(testLoadReport({ facts: { histogram: histogram.toJSON() } }));
    expect(chart?.xs.length).toBeLessThan(420);
  });
});
