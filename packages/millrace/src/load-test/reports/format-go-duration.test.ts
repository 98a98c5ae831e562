import { describe, expect, it } from "vitest";
import { formatGoDuration, roundGoDuration } from "./format-go-duration.ts";

/** Nanoseconds, Go's text, and what vegeta's text report rounds them to, as Go printed them. */
const VECTORS: readonly (readonly [number, string, number])[] = [
  [0, "0s", 0],
  [1, "1ns", 1],
  [999, "999ns", 999],
  [1000, "1µs", 1000],
  [1001, "1.001µs", 1001],
  [25_833, "25.833µs", 25_833],
  [362_662, "362.662µs", 362_662],
  [999_999, "999.999µs", 999_999],
  [1_000_000, "1ms", 1_000_000],
  [1_000_500, "1.0005ms", 1_001_000],
  [16_501_000, "16.501ms", 16_501_000],
  [999_999_999, "999.999999ms", 1_000_000_000],
  [1_000_000_001, "1.000000001s", 1_000_000_000],
  [1_999_999_999, "1.999999999s", 2_000_000_000],
  [59_999_999_999, "59.999999999s", 60_000_000_000],
  [60_000_000_000, "1m0s", 60_000_000_000],
  [61_500_000_000, "1m1.5s", 62_000_000_000],
  [74_272_000_000, "1m14.272s", 74_000_000_000],
  [3_599_999_999_999, "59m59.999999999s", 3_600_000_000_000],
  [3_600_000_000_000, "1h0m0s", 3_600_000_000_000],
  [3_629_999_999_999, "1h0m29.999999999s", 3_600_000_000_000],
  [3_630_000_000_000, "1h0m30s", 3_660_000_000_000],
  [90_061_000_000_000, "25h1m1s", 90_060_000_000_000],
  [281_473_999_999_999, "78h11m13.999999999s", 281_460_000_000_000],
];

describe("formatGoDuration()", () => {
  it.each(VECTORS)("prints %d ns as Go does: %s", (ns, text) => {
    expect(formatGoDuration(ns)).toBe(text);
    expect(formatGoDuration(-ns)).toBe(ns === 0 ? "0s" : `-${text}`);
  });
});

describe("roundGoDuration()", () => {
  it.each(VECTORS)("rounds %d ns (%s) to %d as vegeta does", (ns, _text, rounded) => {
    expect(roundGoDuration(ns)).toBe(rounded);
  });
});
