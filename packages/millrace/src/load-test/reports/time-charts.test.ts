import { describe, expect, it } from "vitest";
import type { LoadWindow } from "../../core/load/load-report.ts";
import type { PageChart } from "./page-chart.ts";
import { testLoadReport } from "./test-load-report.ts";
import { codeLabel, timeCharts } from "./time-charts.ts";

function chartOf(id: string, facts: Parameters<typeof testLoadReport>[0]): PageChart {
  const chart = timeCharts(testLoadReport(facts)).find((each) => each.id === id);
  if (chart === undefined) throw new Error(`There is no picture ${id}`);
  return chart;
}

function valuesOf(chart: PageChart, label: string): readonly (number | null)[] | undefined {
  return chart.series.find((series) => series.label === label)?.values;
}

describe("timeCharts()", () => {
  const [window] = testLoadReport({ windows: 1 }).millrace.timeline as [LoadWindow];

  it("draws nothing where there is no window", () => {
    expect(timeCharts(testLoadReport({ windows: 0 }))).toEqual([]);
  });

  it("has a value for the begin of each window, and the last one again for the end", () => {
    const chart = chartOf("latency", { windows: 3, windowMs: 2000 });
    expect(chart.xs).toEqual([0, 2, 4, 6]);
    for (const { values } of chart.series) {
      expect(values).toHaveLength(4);
      expect(values[3]).toBe(values[2]);
    }
  });

  it("leaves a gap where nothing was answered", () => {
    const silent = { ...window, from_ms: 1000, ok: 0, failed: 0, p99_ms: 0 };
    const chart = chartOf("latency", { facts: { timeline: [window, silent], duration_ms: 2000 } });
    expect(valuesOf(chart, "p99")).toEqual([window.p99_ms, null, null]);
  });

  it("counts a second of a last window that was cut short by what it lasted", () => {
    const short = { ...window, from_ms: 1000, due: 100, answered: 50 };
    const chart = chartOf("throughput", {
      facts: { timeline: [{ ...window, answered: 500 }, short], duration_ms: 1250 },
    });
    expect(chart.xs).toEqual([0, 1, 1.25]);
    expect(valuesOf(chart, "offered")).toEqual([500, 400, 400]);
    expect(valuesOf(chart, "answered")).toEqual([500, 200, 200]);
  });

  it("goes on behind the end of the test only where answers took long to come", () => {
    const late = [1000, 2000].map((from_ms) => ({ ...window, from_ms, due: 0, ok: 0, failed: 0 }));
    const ends = [late.slice(0, 1), late].map((windows) => {
      const facts = { timeline: [window, ...windows], duration_ms: 1000 };
      return chartOf("throughput", { facts }).xs.at(-1);
    });
    expect(ends).toEqual([1, 3]);
  });

  it("stacks codes from good to no answer, and tells two of a kind apart", () => {
    const codes = { "0": 1, "503": 2, "500": 3, "200": 90, "302": 4 };
    const chart = chartOf("codes", {
      facts: { timeline: [{ ...window, codes }], duration_ms: 1000 },
    });
    expect(chart.series.map(({ label, color }) => [label, color])).toEqual([
      ["200", "code-2"],
      ["302", "code-3"],
      ["500", "code-5"],
      ["503", "code-5-dim"],
      ["no answer", "code-0"],
    ]);
    expect(valuesOf(chart, "503")).toEqual([2, 2]);
  });

  it("puts the rarest of many codes together", () => {
    const codes = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [String(200 + at), 20 - at]),
    );
    const chart = chartOf("codes", {
      facts: { timeline: [{ ...window, codes }], duration_ms: 1000 },
    });
    expect(chart.series.map(({ label }) => label)).toEqual([
      "200",
      "201",
      "202",
      "203",
      "204",
      "205",
      "others",
    ]);
    expect(valuesOf(chart, "others")).toEqual([105, 105]);
  });

  it("shows dropped starts only where there were any", () => {
    const { starts } = testLoadReport().millrace;
    expect(valuesOf(chartOf("throughput", {}), "dropped")).toBeUndefined();
    const dropped = { facts: { starts: { ...starts, dropped: 7 } } };
    expect(valuesOf(chartOf("throughput", dropped), "dropped")).toHaveLength(31);
    expect(valuesOf(chartOf("codes", dropped), "dropped")).toHaveLength(31);
  });
});

describe("codeLabel()", () => {
  it("says what 0 is, and cuts what no server sends", () => {
    expect(codeLabel("0")).toBe("no answer");
    expect(codeLabel("503")).toBe("503");
    expect(codeLabel("x".repeat(100))).toBe(`${"x".repeat(8)}…`);
  });
});
