import { expect, test } from "vitest";
import { Metrics } from "../core/metrics/metrics.ts";
import { prometheusText } from "../core/metrics/prometheus-text.ts";
import { addCacheGauges } from "./cache-gauges.ts";

test("addCacheGauges() shows what the caches hold when they are read", () => {
  const registry = new Metrics();
  let entries = 1;
  let isUp = true;
  addCacheGauges(
    registry,
    () => isUp,
    () => [
      { service: "iris", cache: "prediction", entries, bytes: 700 },
      { service: "", cache: "data", entries: 0, bytes: 0 },
    ],
  );
  entries = 2;
  isUp = false;
  const text = prometheusText(registry.snapshot());
  expect(text).toContain('cache_entries{service="iris",cache="prediction"} 2\n');
  expect(text).toContain('cache_bytes{service="",cache="data"} 0\n');
  expect(text).toContain("cache_up 0\n");
});
