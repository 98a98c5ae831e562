import { expect, test } from "vitest";
import { PROBLEMS_MAX, type Problem } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import type { Datatype } from "./datatype.ts";
import { packValues } from "./pack-values.ts";

function pack(
  values: readonly JsonValue[],
  datatype: Datatype,
): { data: unknown; problems: Problem[] } {
  const problems: Problem[] = [];
  return { data: packValues(values, datatype, (i) => ["v", i], problems), problems };
}

test.each([
  ["FP32", [1, null, NaN, 5n], Float32Array.of(1, NaN, NaN, 5)],
  ["FP64", [0.1, null], Float64Array.of(0.1, NaN)],
  ["INT8", [-128, 127n], Int8Array.of(-128, 127)],
  ["INT64", [1, 2n ** 63n - 1n], BigInt64Array.of(1n, 2n ** 63n - 1n)],
  ["BOOL", [true, false], Uint8Array.of(1, 0)],
  ["BYTES", ["", "é"], ["", "é"]],
] as const)("packValues() packs %s %s", (datatype, values, data) => {
  expect(pack(values, datatype)).toEqual({ data, problems: [] });
});

test.each([
  ["FP32", "1", 'found "1", expected FP32'],
  ["FP32", true, "found true, expected FP32"],
  ["FP32", Infinity, "found null, expected FP32"],
  ["FP32", 3.5e38, "found 3.5e+38, expected FP32"],
  ["FP32", 10n ** 39n, `found 1${"0".repeat(39)}, expected FP32`],
  ["FP64", 10n ** 309n, `found 1${"0".repeat(39)}…, expected FP64`],
  ["INT8", 128, "found 128, expected INT8"],
  ["INT8", 1.5, "found 1.5, expected INT8"],
  ["INT8", null, "found null, expected INT8"],
  ["INT64", 2n ** 63n, "found 9223372036854775808, expected INT64"],
  ["UINT64", -1, "found -1, expected UINT64"],
  ["BOOL", 1, "found 1, expected BOOL"],
  ["BYTES", 1, "found 1, expected BYTES"],
  ["BYTES", null, "found null, expected BYTES"],
  ["BYTES", ["a"], "found an array, expected BYTES"],
  ["BYTES", { a: 1 }, "found an object, expected BYTES"],
  ["FP16", 1, "found 1, expected FP16"],
] as const)("packValues() refuses %s %s", (datatype, value, message) => {
  expect(pack([value], datatype).problems).toEqual([{ location: ["v", 0], message, type: "type" }]);
});

test("packValues() adds at most PROBLEMS_MAX problems when everything is wrong", () => {
  expect(pack(Array<string>(1000).fill("a"), "FP32").problems).toHaveLength(PROBLEMS_MAX);
});
