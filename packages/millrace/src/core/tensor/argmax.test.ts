import { expect, test } from "vitest";
import { labelRows } from "./argmax.ts";
import type { Datatype, TensorData } from "./datatype.ts";
import type { Tensor } from "./tensor.ts";

const LABELS = ["a", "b", "c"];

function tensorOf(datatype: Datatype, shape: number[], data: TensorData): Tensor {
  return { name: "y", datatype, shape, data };
}

test.each<[string, Tensor, string[]]>([
  [
    "the largest score of each row",
    tensorOf("FP32", [2, 3], Float32Array.of(0, 2, 1, 5, 4, 3)),
    ["b", "a"],
  ],
  ["the first of equal scores", tensorOf("FP32", [1, 3], Float32Array.of(1, 2, 2)), ["b"]],
  [
    "a score beside NaN",
    tensorOf("FP32", [2, 3], Float32Array.of(NaN, -1, NaN, -1, NaN, 0)),
    ["b", "c"],
  ],
  ["the first when all are NaN", tensorOf("FP32", [1, 3], Float32Array.of(NaN, NaN, NaN)), ["a"]],
  ["the largest of negative scores", tensorOf("FP64", [1, 3], Float64Array.of(-3, -1, -2)), ["b"]],
  [
    "FP16 by value and not by its bits: -1, 0.5, NaN",
    tensorOf("FP16", [1, 3], Uint16Array.of(0xbc00, 0x3800, 0x7e00)),
    ["b"],
  ],
  [
    "BF16 by value and not by its bits: -2, -1, -3",
    tensorOf("BF16", [1, 3], Uint16Array.of(0xc000, 0xbf80, 0xc040)),
    ["b"],
  ],
  [
    "whole numbers as indices",
    tensorOf("INT64", [3], BigInt64Array.of(2n, 0n, 1n)),
    ["c", "a", "b"],
  ],
  [
    "whole numbers in a column as indices",
    tensorOf("INT32", [2, 1], Int32Array.of(2, 0)),
    ["c", "a"],
  ],
  ["one whole number without axes as an index", tensorOf("UINT8", [], Uint8Array.of(1)), ["b"]],
  [
    "several whole numbers a row as scores",
    tensorOf("INT64", [1, 3], BigInt64Array.of(1n, 9n, 4n)),
    ["b"],
  ],
  ["booleans as indices", tensorOf("BOOL", [2], Uint8Array.of(1, 0)), ["b", "a"]],
  ["text as it is", tensorOf("BYTES", [2], ["x", "y"]), ["x", "y"]],
  ["no rows", tensorOf("FP32", [0, 3], new Float32Array(0)), []],
])("labelRows() takes %s", (_name, tensor, expected) => {
  expect(labelRows(tensor, LABELS)).toEqual(expected);
});

test("labelRows() gives text when the model has no labels but text comes out", () => {
  expect(labelRows(tensorOf("BYTES", [1], ["x"]), undefined)).toEqual(["x"]);
});

test.each<[string, Tensor, readonly string[] | undefined, string]>([
  [
    "there are no labels",
    tensorOf("FP32", [1, 2], Float32Array.of(1, 2)),
    undefined,
    "the model has no labels, add models.<name>.labels",
  ],
  [
    "an index is beyond the labels",
    tensorOf("INT64", [1], BigInt64Array.of(3n)),
    LABELS,
    "class 3 has no label, there are 3",
  ],
  [
    "an index is negative",
    tensorOf("INT64", [1], BigInt64Array.of(-1n)),
    LABELS,
    "class -1 has no label, there are 3",
  ],
  [
    "there are more scores than labels",
    tensorOf("FP32", [1, 4], Float32Array.of(0, 0, 0, 1)),
    LABELS,
    "class 3 has no label, there are 3",
  ],
  [
    "one score cannot choose between labels",
    tensorOf("FP32", [2, 1], Float32Array.of(0.1, 0.9)),
    LABELS,
    "it has one score a row, 3 labels need one each",
  ],
])("labelRows() answers LABELS_NOT_FOUND when %s", (_name, tensor, labels, reason) => {
  expect(() => labelRows(tensor, labels)).toThrow(
    expect.objectContaining({
      code: "LABELS_NOT_FOUND",
      message: `Cannot label output "y": ${reason}`,
    }),
  );
});
