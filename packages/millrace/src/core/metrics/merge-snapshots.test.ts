import { expect, test } from "vitest";
import { mergeSnapshots } from "./merge-snapshots.ts";
import type { MetricKind, MetricSnapshot, SeriesSnapshot } from "./metrics.ts";

function snapshotOf(kind: MetricKind, series: readonly SeriesSnapshot[]): MetricSnapshot {
  return { name: kind, help: "", kind, labelNames: ["model"], bounds: [], series };
}

function seriesOf(model: string, value: number, buckets: number[] = []): SeriesSnapshot {
  return { labels: [model], value, buckets };
}

test("mergeSnapshots() adds counters of the same labels and keeps the others", () => {
  const merged = mergeSnapshots(
    new Map([
      ["1", [snapshotOf("counter", [seriesOf("a", 1)])]],
      ["2", [snapshotOf("counter", [seriesOf("a", 2), seriesOf("b", 3)])]],
    ]),
  );
  expect(merged).toEqual([snapshotOf("counter", [seriesOf("a", 3), seriesOf("b", 3)])]);
});

test("mergeSnapshots() adds histograms bucket by bucket", () => {
  const merged = mergeSnapshots(
    new Map([
      ["1", [snapshotOf("histogram", [seriesOf("a", 1.5, [1, 0])])]],
      ["2", [snapshotOf("histogram", [seriesOf("a", 2.5, [1, 4])])]],
    ]),
  );
  expect(merged[0]?.series).toEqual([seriesOf("a", 4, [2, 4])]);
});

test("mergeSnapshots() keeps gauges apart by the label process", () => {
  const merged = mergeSnapshots(
    new Map([
      ["serve-1", [snapshotOf("gauge", [seriesOf("a", 1)])]],
      ["serve-2", [snapshotOf("gauge", [seriesOf("a", 2)])]],
    ]),
  );
  expect(merged[0]?.labelNames).toEqual(["model", "process"]);
  expect(merged[0]?.series.map(({ labels, value }) => [labels, value])).toEqual([
    [["a", "serve-1"], 1],
    [["a", "serve-2"], 2],
  ]);
});

test("mergeSnapshots() does not change what it is given", () => {
  const series = seriesOf("a", 1, [1]);
  const one = [snapshotOf("histogram", [series])];
  mergeSnapshots(
    new Map([
      ["1", one],
      ["2", one],
    ]),
  );
  expect(series).toEqual(seriesOf("a", 1, [1]));
});
