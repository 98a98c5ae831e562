import { expect, it } from "vitest";
import { parseRate } from "./rate.ts";

it.each([
  ["2000/s", 2000],
  ["120/m", 2],
  ["0.5/s", 0.5],
  ["7200/h", 2],
  ["0/s", 0],
])("parseRate() reads %s as so many a second", (text, perSecond) => {
  expect(parseRate(text)).toBe(perSecond);
});

it.each(["2000", "/s", "5/d", "5/min", "5 /s", "-5/s", "5/S", "1e3/s", ""])(
  "parseRate() refuses %j, which is not one number for one unit",
  (text) => {
    expect(parseRate(text)).toBeUndefined();
  },
);
