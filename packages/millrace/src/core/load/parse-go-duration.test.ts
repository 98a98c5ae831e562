import { describe, expect, it } from "vitest";
import { parseGoDuration } from "./parse-go-duration.ts";

describe("parseGoDuration()", () => {
  it.each([
    ["0", 0],
    ["10s", 10_000],
    ["1m30s", 90_000],
    ["1h2m3.5s", 3_723_500],
    ["250us", 0.25],
    ["250µs", 0.25],
    ["15ns", 0.000015],
    [".5s", 500],
  ])("reads %s", (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 9);
  });

  it.each(["", "10", "s", "-1s", "10 s", "1m 30s", "1d", "1s!", "Infinity"])(
    "gives undefined for %j",
    (text) => {
      expect(parseGoDuration(text)).toBeUndefined();
    },
  );
});
