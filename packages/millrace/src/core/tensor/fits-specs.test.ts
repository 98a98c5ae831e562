import { expect, test } from "vitest";
import { fitsSpecs } from "./fits-specs.ts";
import type { Tensor, TensorSpec } from "./tensor.ts";

const Y: TensorSpec = { name: "y", datatype: "FP32", shape: [-1, 2] };
const T: TensorSpec = { name: "t", datatype: "BYTES", shape: [-1] };
const y: Tensor = { name: "y", datatype: "FP32", shape: [1, 2], data: Float32Array.of(1, 2) };
const t: Tensor = { name: "t", datatype: "BYTES", shape: [1], data: ["a"] };

test("fitsSpecs() takes what has the names, datatypes and shapes in their order", () => {
  expect(fitsSpecs([y, t], [Y, T])).toBe(true);
  expect(fitsSpecs([], [])).toBe(true);
});

test.each<[string, Tensor[]]>([
  ["one less", [y]],
  ["one more", [y, t, t]],
  ["another order", [t, y]],
  ["another name", [{ ...y, name: "z" }, t]],
  ["another datatype", [{ ...y, datatype: "FP64" }, t]],
  ["another shape", [{ ...y, shape: [2, 1] }, t]],
])("fitsSpecs() refuses %s", (_what, tensors) => {
  expect(fitsSpecs(tensors, [Y, T])).toBe(false);
});
