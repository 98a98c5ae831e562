import { expect, test } from "vitest";
import { joinRows, sliceRows } from "./rows.ts";
import type { Tensor } from "./tensor.ts";

const rows = (...values: number[][]): Tensor => ({
  name: "x",
  datatype: "FP32",
  shape: [values.length, values[0]?.length ?? 0],
  data: Float32Array.from(values.flat()),
});

test("joinRows() puts rows one after the other and keeps the other extents", () => {
  const joined = joinRows([rows([1, 2]), rows([3, 4], [5, 6])]);
  expect(joined).toEqual(rows([1, 2], [3, 4], [5, 6]));
});

test("joinRows() copies long rows and whole numbers of 64 bits exactly", () => {
  const long = (first: bigint): Tensor => ({
    name: "x",
    datatype: "INT64",
    shape: [1, 20],
    data: BigInt64Array.from({ length: 20 }, (_, i) => first + BigInt(i)),
  });
  const { data } = joinRows([long(2n ** 62n), long(-5n)]);
  expect([data[0], data[19], data[20]]).toEqual([2n ** 62n, 2n ** 62n + 19n, -5n]);
});

test("joinRows() and sliceRows() carry texts", () => {
  const text = (...data: string[]): Tensor => ({
    name: "x",
    datatype: "BYTES",
    shape: [data.length],
    data,
  });
  const joined = joinRows([text("a"), text("b", "c")]);
  expect(joined).toEqual(text("a", "b", "c"));
  expect(sliceRows(joined, 1, 2)).toEqual(text("b", "c"));
});

test("sliceRows() is the inverse of joinRows(), without copying numbers", () => {
  const joined = joinRows([rows([1, 2]), rows([3, 4], [5, 6])]);
  const part = sliceRows(joined, 1, 2);
  expect(part).toEqual(rows([3, 4], [5, 6]));
  expect((part.data as Float32Array).buffer).toBe((joined.data as Float32Array).buffer);
});

test("sliceRows() gives the tensor itself when all rows are asked for", () => {
  const tensor = rows([1, 2], [3, 4]);
  expect(sliceRows(tensor, 0, 2)).toBe(tensor);
});
