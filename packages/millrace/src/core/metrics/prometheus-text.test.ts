import { expect, test } from "vitest";
import type { MetricSnapshot } from "./metrics.ts";
import { prometheusText } from "./prometheus-text.ts";

const COUNTER: MetricSnapshot = {
  name: "requests_total",
  help: "Requests.",
  kind: "counter",
  labelNames: ["model"],
  bounds: [],
  series: [{ labels: ["iris"], value: 3, buckets: [] }],
};

test("prometheusText() writes help, type and one line a series", () => {
  expect(prometheusText([COUNTER])).toBe(
    '# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total{model="iris"} 3\n',
  );
});

test("prometheusText() writes no braces when there are no labels", () => {
  const metric = { ...COUNTER, labelNames: [], series: [{ labels: [], value: 1, buckets: [] }] };
  expect(prometheusText([metric])).toContain("\nrequests_total 1\n");
});

test("prometheusText() escapes help and label values", () => {
  const series = [{ labels: ['a"b\\c\nd'], value: 1, buckets: [] }];
  const text = prometheusText([{ ...COUNTER, help: "a\\b\nc", series }]);
  expect(text).toContain("# HELP requests_total a\\\\b\\nc\n");
  expect(text).toContain('{model="a\\"b\\\\c\\nd"} 1\n');
});

test("prometheusText() writes cumulative buckets, +Inf, sum and count when it is a histogram", () => {
  const metric: MetricSnapshot = {
    name: "seconds",
    help: "",
    kind: "histogram",
    labelNames: ["model"],
    bounds: [0.005, 1],
    series: [{ labels: ["a"], value: 7.5, buckets: [2, 0, 3] }],
  };
  expect(prometheusText([metric]).split("\n").slice(2, -1)).toEqual([
    'seconds_bucket{model="a",le="0.005"} 2',
    'seconds_bucket{model="a",le="1"} 2',
    'seconds_bucket{model="a",le="+Inf"} 5',
    'seconds_sum{model="a"} 7.5',
    'seconds_count{model="a"} 5',
  ]);
});

test.each([
  [NaN, "NaN"],
  [Infinity, "+Inf"],
  [-Infinity, "-Inf"],
  [1e21, "1e+21"],
])("prometheusText() writes %s as %s", (value, text) => {
  const metric = { ...COUNTER, series: [{ labels: ["a"], value, buckets: [] }] };
  expect(prometheusText([metric])).toContain(`{model="a"} ${text}\n`);
});
