import { expect, test } from "vitest";
import { tracesUrl } from "./traces-url.ts";

test.each([
  ["http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"],
  ["http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"],
  ["https://collector/otlp", "https://collector/otlp/v1/traces"],
  ["https://collector/otlp/v1/traces", "https://collector/otlp/v1/traces"],
  ["https://collector/v1/traces/", "https://collector/v1/traces"],
  ["https://collector/?team=a", "https://collector/v1/traces?team=a"],
])("tracesUrl() posts spans for %s to %s", (endpoint, url) => {
  expect(tracesUrl(endpoint)).toBe(url);
});
