import { expect, test } from "vitest";
import { sliceRows } from "../tensor/rows.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ownMemory } from "./own-memory.ts";

const batch: Tensor = {
  name: "y",
  datatype: "FP32",
  shape: [64, 3],
  data: new Float32Array(192).fill(7),
};

test("ownMemory() copies a row of a batch, so that the batch is not kept", () => {
  const row = sliceRows(batch, 5, 1);
  const [own] = ownMemory([row]) as [Tensor];
  expect(own).toEqual(row);
  expect((own.data as Float32Array).buffer.byteLength).toBe(12);
});

test("ownMemory() copies a Buffer, whose own slice would be a view", () => {
  const data = Buffer.alloc(1_000).subarray(0, 2);
  const [own] = ownMemory([{ name: "b", datatype: "UINT8", shape: [2], data }]) as [Tensor];
  expect(own.data).toEqual(new Uint8Array(2));
  expect((own.data as Uint8Array).buffer.byteLength).toBe(2);
});

test("ownMemory() gives back what has its memory to itself, and texts", () => {
  const texts: Tensor = { name: "t", datatype: "BYTES", shape: [1], data: ["a"] };
  const tensors = [batch, texts];
  expect(ownMemory(tensors)).toBe(tensors);
  expect(ownMemory([texts, sliceRows(batch, 0, 1)])[0]).toBe(texts);
});
