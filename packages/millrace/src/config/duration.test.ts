import { expect, it } from "vitest";
import { parseDuration } from "./duration.ts";

it.each([
  ["250ms", 250],
  ["2s", 2000],
  ["1.5s", 1500],
  ["5m", 300_000],
  ["1h", 3_600_000],
  ["30d", 2_592_000_000],
  ["0ms", 0],
])("parseDuration() reads %s as milliseconds", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each(["30", "", "s", "-1s", "2 s", "2S", "1h30m", "1e3s", "2s\n"])(
  "parseDuration() refuses %j, which is not one number with one unit",
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);
