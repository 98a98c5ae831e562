import { expect, it } from "vitest";
import { parseSize } from "./size.ts";

it.each([
  ["512B", 512],
  ["64KiB", 65_536],
  ["16MiB", 16_777_216],
  ["1.5GiB", 1_610_612_736],
])("parseSize() reads %s as bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

it.each(["1024", "1KB", "1kib", "64 KiB", "-1B", ""])(
  "parseSize() refuses %j, which is not one number with one binary unit",
  (text) => {
    expect(parseSize(text)).toBeUndefined();
  },
);
