import { expect, it } from "vitest";
import { Metrics } from "../core/metrics/metrics.ts";
import { addRemoteMetrics } from "./remote-metrics.ts";

const GOOD = {
  service: "shop",
  step: "far",
  endpoint: "10.0.0.7:80",
  breaker: "closed",
  isEjected: false,
  ejections: 1,
  calls: 7,
  failures: 0,
} as const;
const BAD = {
  ...GOOD,
  endpoint: "10.0.0.8:80",
  breaker: "open",
  isEjected: true,
  failures: 5,
} as const;

it("addRemoteMetrics() gives the state of every server, once where two steps have the same", () => {
  const registry = new Metrics();
  addRemoteMetrics(registry, {
    endpoints: () => [GOOD, BAD, GOOD],
    extraCounts: () => [["shop", { retry: 3, hedge: 2, denied: 1 }]],
  });
  const found = registry
    .snapshot()
    .flatMap(({ name, series }) =>
      series.map(({ labels, value }) => `${name} ${labels.join(" ")} ${value}`),
    );
  expect(found).toEqual([
    "remote_endpoint_ejected shop far 10.0.0.7:80 0",
    "remote_endpoint_ejected shop far 10.0.0.8:80 1",
    "remote_endpoint_breaker_state shop far 10.0.0.7:80 0",
    "remote_endpoint_breaker_state shop far 10.0.0.8:80 2",
    "remote_endpoint_ejections_total shop far 10.0.0.7:80 2",
    "remote_endpoint_ejections_total shop far 10.0.0.8:80 1",
    "remote_endpoint_calls_total shop far 10.0.0.7:80 14",
    "remote_endpoint_calls_total shop far 10.0.0.8:80 7",
    "remote_endpoint_failures_total shop far 10.0.0.7:80 0",
    "remote_endpoint_failures_total shop far 10.0.0.8:80 5",
    "inference_extra_calls_total shop retry 3",
    "inference_extra_calls_total shop hedge 2",
    "inference_extra_calls_total shop denied 1",
  ]);
});
