import { hash } from "node:crypto";
import { expect, test } from "vitest";
import type { Tensor } from "../tensor/tensor.ts";
import { DataKeys } from "./data-keys.ts";
import { PredictionKeys } from "./prediction-keys.ts";

const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");

function ids(...values: number[]): Tensor {
  return {
    name: "id",
    datatype: "INT64",
    shape: [values.length],
    data: BigInt64Array.from(values.map(BigInt)),
  };
}

test("keysOf() gives one key per row, which depends on that row alone", () => {
  const keys = new DataKeys("steps", sha256);
  const [one, two, again] = keys.keysOf(ids(1, 2, 1));
  expect(one).toMatch(/^d:[0-9a-f]{64}$/);
  expect(again).toBe(one);
  expect(two).not.toBe(one);
  expect(keys.keysOf(ids(7, 8, 2))[2]).toBe(two);
});

test("keysOf() gives none for no rows", () => {
  expect(new DataKeys("steps", sha256).keysOf(ids())).toEqual([]);
});

test("keysOf() differs when the steps, the type or the shape of the key do", () => {
  const keys = new DataKeys("steps", sha256);
  const pair: Tensor = { ...ids(1, 2), shape: [1, 2] };
  const unsigned: Tensor = { ...ids(1), datatype: "UINT64", data: BigUint64Array.of(1n) };
  const all = [
    keys.keysOf(ids(1)),
    new DataKeys("others", sha256).keysOf(ids(1)),
    keys.keysOf(pair),
    keys.keysOf({ ...pair, shape: [1, 2, 1] }),
    keys.keysOf(unsigned),
  ].map(([key]) => key);
  expect(new Set(all).size).toBe(all.length);
});

test("keysOf() takes texts, and tells rows of them apart", () => {
  const texts: Tensor = {
    name: "id",
    datatype: "BYTES",
    shape: [2, 2],
    data: ["ab", "c", "a", "bc"],
  };
  const [first, second] = new DataKeys("steps", sha256).keysOf(texts);
  expect(first).not.toBe(second);
});

test("keysOf() never gives a key of a prediction", () => {
  const [data] = new DataKeys("iris", sha256).keysOf(ids(1));
  expect(data).not.toBe(new PredictionKeys(["iris"], sha256).keyOf([ids(1)], []));
});
