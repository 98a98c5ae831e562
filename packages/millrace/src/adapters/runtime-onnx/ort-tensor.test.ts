import { Tensor as OrtTensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import type { MillraceError } from "../../core/errors.ts";
import { fromOrtTensor, toOrtTensor } from "./ort-tensor.ts";

test("toOrtTensor() shares the data when it wraps numbers", () => {
  const data = new Float32Array([1, 2]);
  const tensor = toOrtTensor({ name: "x", datatype: "FP32", shape: [1, 2], data });
  expect(tensor).toMatchObject({ type: "float32", dims: [1, 2] });
  expect(tensor.data).toBe(data);
});

test("toOrtTensor() refuses with input and element when a string contains NUL", () => {
  const data = ["fine", "cut\0here"];
  let error: unknown;
  try {
    toOrtTensor({ name: "words", datatype: "BYTES", shape: [2], data });
  } catch (caught) {
    error = caught;
  }
  expect(error).toMatchObject({ code: "INVALID_TENSOR" } satisfies Partial<MillraceError>);
  expect((error as MillraceError).message).toContain('input "words" element 1 contains a NUL');
  expect((error as MillraceError).problems[0]?.location).toEqual(["words", 1]);
});

test("fromOrtTensor() shares the data when it unwraps numbers", () => {
  const data = new BigInt64Array([1n, 2n]);
  const tensor = fromOrtTensor("y", new OrtTensor("int64", data, [2]));
  expect(tensor).toEqual({ name: "y", datatype: "INT64", shape: [2], data });
  expect(tensor.data).toBe(data);
});

test("fromOrtTensor() gives raw bits of the same buffer when the type is FP16", () => {
  const bits = new Uint16Array([0x3c00, 0x7e01]);
  const tensor = fromOrtTensor("y", new OrtTensor("float16", bits, [2]));
  expect(tensor.data).toEqual(bits);
  expect((tensor.data as Uint16Array).buffer).toBe(bits.buffer);
});
