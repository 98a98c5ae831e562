import { expect, test } from "vitest";
import { copyTensors } from "./copy-tensors.ts";
import type { Tensor } from "./tensor.ts";

test("copyTensors() copies only the window of an array, and Buffers too", () => {
  const whole = new Float32Array([9, 1, 2, 9]);
  const window: Tensor = { name: "x", datatype: "FP32", shape: [2], data: whole.subarray(1, 3) };
  const bytes: Tensor = { name: "b", datatype: "UINT8", shape: [2], data: Buffer.from("ab") };
  const { tensors, buffers } = copyTensors([window, bytes]);
  expect(tensors).toEqual([window, { ...bytes, data: Uint8Array.of(97, 98) }]);
  expect(buffers.map(({ byteLength }) => byteLength)).toEqual([8, 2]);
  expect(buffers).not.toContain(whole.buffer);
});

test("copyTensors() leaves text where it is", () => {
  const text: Tensor = { name: "t", datatype: "BYTES", shape: [1], data: ["a"] };
  const { tensors, buffers } = copyTensors([text]);
  expect(tensors[0]).toBe(text);
  expect(buffers).toEqual([]);
});
