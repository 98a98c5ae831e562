import { expect, test } from "vitest";
import { parseRate } from "./parse-rate.ts";

test("parseRate() gives starts a second, whatever time the rate is for", () => {
  expect(parseRate("500")).toBe(500);
  expect(parseRate("500/s")).toBe(500);
  expect(parseRate("500/1s")).toBe(500);
  expect(parseRate("30000/1m")).toBe(500);
  expect(parseRate("30000/m")).toBe(500);
  expect(parseRate("5/10ms")).toBe(500);
  expect(parseRate("1/1m30s")).toBeCloseTo(1 / 90, 12);
  expect(parseRate("0.5")).toBe(0.5);
  expect(parseRate("0")).toBe(0);
});

test.each(["", "x", "-1", "1e3", "5/", "5/x", "5/0s", "5/0", "5/s/s", "/s", "NaN", "Infinity"])(
  "parseRate(%j) is undefined",
  (text) => {
    expect(parseRate(text)).toBeUndefined();
  },
);
