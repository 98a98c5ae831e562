import { expect, test } from "vitest";
import type { JsonValue } from "../json.ts";
import { extentsOf, flattenInto, indexesOf } from "./nested-array.ts";

test("extentsOf() follows the first elements", () => {
  expect(extentsOf([[1, 2], [3], [4]])).toEqual([3, 2]);
  expect(extentsOf([])).toEqual([0]);
  expect(extentsOf(1)).toEqual([]);
});

test("flattenInto() appends elements row by row", () => {
  const flat: JsonValue[] = [0];
  expect(
    flattenInto(
      flat,
      [
        [1, 2],
        [3, 4],
      ],
      [2, 2],
    ),
  ).toBe(true);
  expect(flat).toEqual([0, 1, 2, 3, 4]);
});

test.each<[JsonValue]>([
  [[[1, 2], [3]]],
  [[[1, 2], 3]],
  [
    [
      [1, 2],
      [[3], 4],
    ],
  ],
])("flattenInto() tells that %j is not of one shape", (value) => {
  expect(flattenInto([], value, [2, 2])).toBe(false);
});

test("indexesOf() counts as flattenInto() does", () => {
  expect([0, 1, 3, 5].map((index) => indexesOf(index, [2, 3]))).toEqual([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 2],
  ]);
});

test("flattenInto() counts the holes of a sparse array as elements", () => {
  const flat: JsonValue[] = [];
  const sparse = new Array<JsonValue>(2);
  sparse[1] = 7;
  expect(flattenInto(flat, sparse, extentsOf(sparse))).toBe(true);
  expect(flat).toEqual([undefined, 7]);
});

test("extentsOf() comes to an end with an array that holds itself", () => {
  const endless: JsonValue[] = [];
  endless.push(endless);
  expect(flattenInto([], endless, extentsOf(endless))).toBe(false);
});
