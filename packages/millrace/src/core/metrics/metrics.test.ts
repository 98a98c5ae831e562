import { expect, test } from "vitest";
import { Metrics, SERIES_MAX } from "./metrics.ts";

test("snapshot() gives one series per combination of label values", () => {
  const metrics = new Metrics();
  const requests = metrics.counter("requests", "Requests.", ["model", "code"]);
  requests.with("a", "ok").add();
  requests.with("a", "ok").add(2);
  requests.with("b", "ok").add();
  expect(metrics.snapshot()).toEqual([
    {
      name: "requests",
      help: "Requests.",
      kind: "counter",
      labelNames: ["model", "code"],
      bounds: [],
      series: [
        { labels: ["a", "ok"], value: 3, buckets: [] },
        { labels: ["b", "ok"], value: 1, buckets: [] },
      ],
    },
  ]);
});

test("snapshot() does not change when the metric goes on counting", () => {
  const metrics = new Metrics();
  const histogram = metrics.histogram("seconds", "", [], [1]).with();
  const [before] = metrics.snapshot();
  histogram.observe(0.5);
  expect(before?.series[0]).toEqual({ labels: [], value: 0, buckets: [0, 0] });
});

test("observe() counts a value in the first bucket whose bound it does not pass", () => {
  const histogram = new Metrics().histogram("seconds", "", [], [1, 2]).with();
  for (const value of [0, 1, 1.5, 2, 3]) histogram.observe(value);
  expect(histogram.buckets).toEqual([2, 2, 1]);
  expect(histogram.sum).toBe(7.5);
});

test("with() counts under other when there are SERIES_MAX combinations already", () => {
  const metrics = new Metrics();
  const family = metrics.counter("c", "", ["a", "b"]);
  for (let i = 0; i < SERIES_MAX + 500; i++) family.with(String(i), "x").add();
  family.with("0", "x").add(); // known: keeps its series
  const series = metrics.snapshot()[0]?.series ?? [];
  expect(series).toHaveLength(SERIES_MAX + 1);
  expect(series[0]?.value).toBe(2);
  expect(series.at(-1)).toEqual({ labels: ["other", "other"], value: 500, buckets: [] });
});

test("gauge() and externalCounter() read their value when somebody asks", () => {
  const metrics = new Metrics();
  let value = 1;
  metrics.gauge("g", "", ["model"], () => [[["a"], value]]);
  metrics.externalCounter("c", "", [], () => [[[], value]]);
  value = 2;
  expect(metrics.snapshot().map(({ kind, series }) => [kind, series])).toEqual([
    ["gauge", [{ labels: ["a"], value: 2, buckets: [] }]],
    ["counter", [{ labels: [], value: 2, buckets: [] }]],
  ]);
});
