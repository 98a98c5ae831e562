import { expect, test } from "vitest";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { packTensors } from "./pack-tensors.ts";

function floats(data: Float32Array): Tensor {
  return { name: "x", datatype: "FP32", shape: [data.length], data };
}

test("packTensors() moves each buffer once when windows of one may be detached", () => {
  const whole = new Float32Array([1, 2, 3, 4]);
  const tensors = [floats(whole.subarray(0, 2)), floats(whole.subarray(2))];
  const packed = packTensors(tensors, true);
  expect(packed.transfers).toEqual([whole.buffer]);
  expect(packed.tensors[1]?.data).toBe(tensors[1]?.data);
});

test("packTensors() copies only the window when the memory must stay", () => {
  const whole = new Float32Array([1, 2, 3, 4]);
  const { tensors, transfers } = packTensors([floats(whole.subarray(1, 3))], false);
  expect(tensors).toEqual([floats(new Float32Array([2, 3]))]);
  expect(transfers.map((buffer) => buffer.byteLength)).toEqual([8]);
  expect(transfers[0]).not.toBe(whole.buffer);
});

test("packTensors() copies what is in the pool of small Buffers", () => {
  const data = Buffer.from("abcd");
  const tensor: Tensor = { name: "x", datatype: "UINT8", shape: [4], data };
  const { tensors, transfers } = packTensors([tensor], true);
  expect(tensors[0]?.data).toEqual(new Uint8Array(Buffer.from("abcd")));
  expect(transfers.map((buffer) => buffer.byteLength)).toEqual([4]);
});

test("packTensors() moves nothing when the data is text or shared", () => {
  const shared = floats(new Float32Array(new SharedArrayBuffer(4)));
  const text: Tensor = { name: "t", datatype: "BYTES", shape: [1], data: ["a"] };
  expect(packTensors([shared, text], true)).toEqual({ tensors: [shared, text], transfers: [] });
  expect(packTensors([shared, text], false).transfers).toEqual([]);
});
