import { expect, test } from "vitest";
import { LoadInputError } from "../load-input-error.ts";
import { parseBatchSizes } from "./batch-sizes.ts";

test("parseBatchSizes() reads one size, a range, and several by weight", () => {
  expect(parseBatchSizes("8")).toEqual([{ min: 8, max: 8, weight: 1 }]);
  expect(parseBatchSizes("1-32")).toEqual([{ min: 1, max: 32, weight: 1 }]);
  expect(parseBatchSizes("1:70,8:20, 16-32:9.5")).toEqual([
    { min: 1, max: 1, weight: 70 },
    { min: 8, max: 8, weight: 20 },
    { min: 16, max: 32, weight: 9.5 },
  ]);
});

test.each(["", "0", "-1", "8-", "8-4", "0-4", "1.5", "100001", "1:0", "1:x", "1,", "a", "1:1:1"])(
  "parseBatchSizes(%j) is refused",
  (text) => {
    expect(() => parseBatchSizes(text)).toThrow(LoadInputError);
    expect(() => parseBatchSizes(text)).toThrow(
      "--batch: expected rows of a batch, 1 to 100000, like 8, 1-32 or 1:90,8-32:10, found",
    );
  },
);
