import { expect, it } from "vitest";
import { parseShare } from "./share.ts";

it.each([
  ["99.9%", 0.999],
  ["10%", 0.1],
  ["100%", 1],
  ["0%", 0],
  ["0.07%", 0.0007],
  ["0.1", 0.1],
  ["1", 1],
  ["0", 0],
])("parseShare() reads %s as a ratio, exactly", (text, ratio) => {
  expect(parseShare(text)).toBe(ratio);
});

it.each(["10", "1.001", "100.1%", "-1%", "10 %", "%", "", ".5", "1e-1", "10%\n"])(
  "parseShare() refuses %j, which is neither a percentage nor a ratio",
  (text) => {
    expect(parseShare(text)).toBeUndefined();
  },
);
