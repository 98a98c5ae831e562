import type { LoadFacts, LoadReport, LoadWindow } from "../../core/load/load-report.ts";
import { countText, durationText, latencyText, rateText } from "./load-figures.ts";
import { objectiveMarks } from "./objective-marks.ts";
import { chartNumber, type PageChart, type PageChartSeries } from "./page-chart.ts";

/** Different codes with an area of their own; all others share one. */
const CODES_MAX = 7;
/** Windows after the end that say no more than that the last answers came. */
const LATE_WINDOWS_HIDDEN = 1;
/** Of a code; one that a server sends has 3. */
const CODE_LETTERS = 8;

/** Without windows there is nothing to draw. */
export function timeCharts({ millrace }: LoadReport): PageChart[] {
  if (millrace.timeline.length === 0) return [];
  const facts = { ...millrace, timeline: shownWindows(millrace) };
  return [
    latencyChart(facts),
    throughputChart(facts),
    codesChart(facts),
    underWayChart(facts),
    lagChart(facts),
  ];
}

/** Answers come after the end of a test, too; they have a place of their own only where that took long. */
function shownWindows({ timeline, duration_ms: durationMs }: LoadFacts): readonly LoadWindow[] {
  const inTime = timeline.filter((window) => window.from_ms < durationMs);
  return timeline.length - inTime.length > LATE_WINDOWS_HIDDEN ? timeline : inTime;
}

function latencyChart(facts: LoadFacts): PageChart {
  const answered = facts.timeline.filter(isAnswered);
  const slowest = highest(answered, (window) => window.p99_ms);
  const usual = median(answered.map((window) => window.p99_ms));
  const figure = (value: (window: LoadWindow) => number): (number | null)[] =>
    perWindow(facts, (window) => (isAnswered(window) ? chartNumber(value(window)) : null));
  const isSpread =
    highestOf(answered, "max_ms") > 25 * median(answered.map(({ p50_ms }) => p50_ms));
  return {
    id: "latency",
    title: "Response time",
    width: "whole",
    summary:
      slowest === undefined
        ? "No request was answered."
        : `Response times of each ${durationText(facts.window_ms)}. The 99th percentile is mostly ${latencyText(usual)}, and highest after ${durationText(slowest.from_ms)}: ${latencyText(slowest.p99_ms)}.`,
    note: `Of each ${durationText(facts.window_ms)}, from the time requests were due. Drag to look closer, press twice to see all.`,
    x: TIME,
    y: { unit: "ms", label: "Response time", scale: isSpread ? "log-or-linear" : "linear-or-log" },
    xs: times(facts),
    series: [
      { label: "max", color: "max", shape: "thin", values: figure((window) => window.max_ms) },
      { label: "p99", color: "p99", shape: "line", values: figure((window) => window.p99_ms) },
      { label: "p90", color: "p90", shape: "line", values: figure((window) => window.p90_ms) },
      { label: "p50", color: "p50", shape: "line", values: figure((window) => window.p50_ms) },
    ],
    marks: objectiveMarks(facts.objectives, ["p50", "p90", "p99", "max"]),
  };
}

function throughputChart(facts: LoadFacts): PageChart {
  const rate = (count: (window: LoadWindow) => number): (number | null)[] =>
    perWindow(facts, (window) => chartNumber(count(window) / secondsOf(facts, window)));
  const { due, sent, dropped } = facts.starts;
  const seconds = facts.duration_ms / 1000;
  const series: PageChartSeries[] = [
    { label: "answered", color: "rate", shape: "area", values: rate(({ answered }) => answered) },
    { label: "offered", color: "due", shape: "dashed", values: rate((window) => window.due) },
  ];
  if (dropped > 0) {
    const values = rate((window) => window.dropped);
    series.push({ label: "dropped", color: "code-5", shape: "line", values });
  }
  return {
    id: "throughput",
    title: "Throughput against offered load",
    width: "half",
    summary: `Offered were ${rateText(due / seconds)} on average, sent ${rateText(sent / seconds)}; ${countText(dropped)} starts were dropped.`,
    note: "Where fewer are answered than offered, requests pile up.",
    x: TIME,
    y: { unit: "rate", label: "Requests a second", scale: "linear" },
    xs: times(facts),
    series,
  };
}

function codesChart(facts: LoadFacts): PageChart {
  const totals = new Map<string, number>();
  for (const { codes } of facts.timeline)
    for (const [code, count] of Object.entries(codes))
      totals.set(code, (totals.get(code) ?? 0) + count);
  const most = [...totals].toSorted(([, a], [, b]) => b - a);
  const own = most
    .slice(0, most.length > CODES_MAX ? CODES_MAX - 1 : CODES_MAX)
    .map(([code]) => code);
  const shown = own.toSorted((a, b) => place(a) - place(b));
  const rate = (count: (window: LoadWindow) => number): (number | null)[] =>
    perWindow(facts, (window) => chartNumber(count(window) / secondsOf(facts, window)));
  const series = shown.map((code, at): PageChartSeries => {
    const isSecond = shown.findIndex((each) => codeClass(each) === codeClass(code)) < at;
    return {
      label: codeLabel(code),
      color: `code-${codeClass(code)}${isSecond ? "-dim" : ""}`,
      shape: "stack",
      values: rate(({ codes }) => codes[code] ?? 0),
    };
  });
  if (most.length > own.length) {
    const others = most.slice(own.length).map(([code]) => code);
    const values = rate(({ codes }) => others.reduce((sum, code) => sum + (codes[code] ?? 0), 0));
    series.push({ label: "others", color: "code-0-dim", shape: "stack", values });
  }
  if (facts.starts.dropped > 0) {
    const values = rate(({ dropped }) => dropped);
    series.push({ label: "dropped", color: "dropped", shape: "stack", values });
  }
  return {
    id: "codes",
    title: "Codes",
    width: "third",
    summary: `Answers by status: ${most.map(([code, count]) => `${codeLabel(code)} ${countText(count)}`).join(", ")}.`,
    note: "By the time requests were due.",
    x: TIME,
    y: { unit: "rate", label: "Answers a second", scale: "linear" },
    xs: times(facts),
    series,
  };
}

function underWayChart(facts: LoadFacts): PageChart {
  const peak = highestOf(facts.timeline, "under_way");
  return {
    id: "under-way",
    title: "Requests under way",
    width: "third",
    summary: `At most ${countText(peak)} requests were under way at the end of a window.`,
    note: "At the end of each window. A line that only rises is a queue that only grows.",
    x: TIME,
    y: { unit: "count", label: "Requests", scale: "linear" },
    xs: times(facts),
    series: [
      {
        label: "under way",
        color: "p50",
        shape: "area",
        values: perWindow(facts, (window) => window.under_way),
      },
    ],
  };
}

function lagChart(facts: LoadFacts): PageChart {
  const { p99_ms: p99Ms, max_ms: maxMs } = facts.lag;
  return {
    id: "lag",
    title: "Lag of the generator",
    width: "third",
    summary: `The generator sent 99 of 100 requests within ${latencyText(p99Ms)} of their time, the last one ${latencyText(maxMs)} late.`,
    note: "From when a request was due to when it was sent; it is part of the response time.",
    x: TIME,
    y: { unit: "ms", label: "Lag", scale: "linear-or-log" },
    xs: times(facts),
    series: [
      {
        label: "p99",
        color: "lag",
        shape: "line",
        values: perWindow(facts, (window) =>
          window.due > window.dropped ? chartNumber(window.lag_p99_ms) : null,
        ),
      },
    ],
  };
}

const TIME = { unit: "seconds", label: "Time", scale: "linear" } as const;

/** Where windows begin, and where the last one ends. */
function times(facts: LoadFacts): number[] {
  const last = facts.timeline.at(-1);
  if (last === undefined) return [];
  const end = last.from_ms / 1000 + secondsOf(facts, last);
  return [...facts.timeline.map((window) => window.from_ms / 1000), end];
}

/** The last value holds to the end of its window. */
function perWindow(
  { timeline }: LoadFacts,
  value: (window: LoadWindow) => number | null,
): (number | null)[] {
  const values = timeline.map(value);
  return [...values, values.at(-1) ?? null];
}

/** The last window may be cut short by the end of the test. */
function secondsOf(
  { duration_ms: durationMs, window_ms: windowMs }: LoadFacts,
  window: LoadWindow,
): number {
  const untilEndMs = durationMs - window.from_ms;
  return (untilEndMs > 0 ? Math.min(windowMs, untilEndMs) : windowMs) / 1000;
}

function isAnswered({ ok, failed }: LoadWindow): boolean {
  return ok + failed > 0;
}

/** Good ones below, no answer on top. */
function place(code: string): number {
  return code === "0" ? Infinity : Number(code);
}

/** Of a style: 2, 3, 4, 5, and 0 for all others. */
export function codeClass(code: string): string {
  return /^[2-5]\d\d$/.test(code) ? (code[0] as string) : "0";
}

/** `503`, and for 0 what it means. */
export function codeLabel(code: string): string {
  if (code === "0") return "no answer";
  return code.length > CODE_LETTERS ? `${code.slice(0, CODE_LETTERS)}…` : code;
}

function highest<T>(list: readonly T[], value: (each: T) => number): T | undefined {
  return list.reduce<T | undefined>(
    (best, each) => (best === undefined || value(each) > value(best) ? each : best),
    undefined,
  );
}

function highestOf(windows: readonly LoadWindow[], key: "under_way" | "max_ms"): number {
  return windows.reduce((most, window) => Math.max(most, window[key]), 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
