import { expect, test } from "vitest";
import { MillraceError } from "../errors.ts";
import { checkTensors } from "./check-tensors.ts";
import type { Tensor, TensorSpec } from "./tensor.ts";

const X: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 2] };
const Y: TensorSpec = { name: "y", datatype: "FP32", shape: [-1] };
const GOOD_X: Tensor = { ...X, shape: [1, 2], data: Float32Array.of(1, 2) };
const GOOD_Y: Tensor = { ...Y, shape: [1], data: Float32Array.of(1) };

test("checkTensors() gives the same tensors in the model's order", () => {
  const [x, y] = checkTensors([GOOD_Y, GOOD_X], [X, Y]);
  expect(x).toBe(GOOD_X);
  expect(y).toBe(GOOD_Y);
});

test.each<[string, Tensor[], string]>([
  ["a missing one", [GOOD_X], "inputs.y: missing"],
  ["an unknown one", [GOOD_X, GOOD_Y, { ...GOOD_Y, name: "z" }], "inputs.z: unknown input"],
  ["one that stands twice", [GOOD_X, GOOD_Y, GOOD_Y], "inputs.y: stands twice"],
  [
    "another datatype",
    [GOOD_X, { ...GOOD_Y, datatype: "FP64", data: Float64Array.of(1) }],
    "inputs.y: found FP64, expected FP32",
  ],
  [
    "other storage than the datatype's",
    [GOOD_X, { ...GOOD_Y, data: Float64Array.of(1) }],
    "inputs.y: found data in Float64Array, not that of FP32",
  ],
  [
    "another shape",
    [GOOD_X, { ...GOOD_Y, shape: [1, 1] }],
    "inputs.y: found shape [1, 1], expected [-1]",
  ],
  [
    "a shape that the data does not fill",
    [GOOD_X, { ...GOOD_Y, shape: [2] }],
    "inputs.y: found 1 elements, which is not the product of its shape",
  ],
  [
    "another number of rows",
    [GOOD_X, { ...GOOD_Y, shape: [2], data: Float32Array.of(1, 2) }],
    "inputs.y: found 2 rows, expected 1",
  ],
])("checkTensors() refuses %s", (_name, tensors, expected) => {
  const problems: string[] = [];
  try {
    checkTensors(tensors, [X, Y]);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    problems.push(
      ...error.problems.map(({ location, message }) => `${location.join(".")}: ${message}`),
    );
  }
  expect(problems).toEqual([expected]);
});
