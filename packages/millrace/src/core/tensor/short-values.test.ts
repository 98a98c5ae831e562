import { expect, test } from "vitest";
import { readExactJson } from "../exact-json.ts";
import { shortNestedJson, shortRowJson } from "./short-json.ts";
import { shortNestedValue, shortRowValue } from "./short-values.ts";
import type { Tensor } from "./tensor.ts";

const TENSORS: readonly Tensor[] = [
  {
    name: "fp32",
    datatype: "FP32",
    shape: [2, 3],
    data: Float32Array.of(5.1, -0.25, NaN, Infinity, 1e-12, 3),
  },
  { name: "fp64", datatype: "FP64", shape: [2], data: Float64Array.of(0.1, -2.5e-7) },
  { name: "fp16", datatype: "FP16", shape: [2, 1], data: Uint16Array.of(0x3c00, 0x7e00) },
  { name: "bf16", datatype: "BF16", shape: [2, 1], data: Uint16Array.of(0x3f80, 0x4000) },
  { name: "bool", datatype: "BOOL", shape: [2, 1, 1], data: Uint8Array.of(0, 1) },
  { name: "text", datatype: "BYTES", shape: [2, 2], data: ["a", '"', "", "é"] },
  { name: "empty", datatype: "FP32", shape: [2, 0], data: new Float32Array() },
];

test("shortNestedValue() gives what is read from the JSON of the tensor", () => {
  for (const tensor of TENSORS) {
    expect(shortNestedValue(tensor)).toEqual(readExactJson(shortNestedJson(tensor)));
  }
});

test("shortRowValue() gives what is read from the JSON of the row", () => {
  for (const tensor of TENSORS) {
    expect(shortRowValue(tensor, 1)).toEqual(readExactJson(shortRowJson(tensor, 1)));
  }
});

test("shortRowValue() keeps every digit of a whole number of 64 bits", () => {
  const data = BigInt64Array.of(1n, 9_007_199_254_740_993n);
  const tensor = { name: "int64", datatype: "INT64", shape: [2], data } as const;
  expect(shortRowValue(tensor, 1)).toBe(9_007_199_254_740_993n);
});
