import { expect, test } from "vitest";
import { JsonReader } from "../json-reader.ts";
import type { Datatype, TensorData } from "./datatype.ts";
import { readJsonArray } from "./read-json-array.ts";
import type { Tensor } from "./tensor.ts";
import { flatJson, nestedJson, rowJson, withShortNumbers } from "./write-json.ts";

function tensorOf(datatype: Datatype, shape: number[], data: TensorData): Tensor {
  return { name: "y", datatype, shape, data };
}

test.each([
  [
    "NaN and infinities as null",
    "FP32",
    Float32Array.of(NaN, Infinity, -Infinity, 1),
    "[null,null,null,1]",
  ],
  ["FP32 as the exact double", "FP32", Float32Array.of(0.1), "[0.10000000149011612]"],
  ["minus zero", "FP64", Float64Array.of(-0, 0), "[-0.0,0]"],
  ["exponents", "FP64", Float64Array.of(5e-324, 1e21), "[5e-324,1e+21]"],
  [
    "INT64 with every digit",
    "INT64",
    BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n),
    "[-9223372036854775808,9007199254740993]",
  ],
  [
    "UINT64 with every digit",
    "UINT64",
    BigUint64Array.of(2n ** 64n - 1n),
    "[18446744073709551615]",
  ],
  ["BOOL as true and false", "BOOL", Uint8Array.of(0, 1), "[false,true]"],
  ["UINT8 as numbers", "UINT8", Uint8Array.of(0, 1), "[0,1]"],
  [
    "BYTES with escapes",
    "BYTES",
    ['a"b', "\n\0", "\ud800", "é"],
    '["a\\"b","\\n\\u0000","\\ud800","é"]',
  ],
  ["nothing", "FP32", new Float32Array(0), "[]"],
] as const)("flatJson() writes %s", (_name, datatype, data, json) => {
  expect(flatJson(tensorOf(datatype, [data.length], data as TensorData))).toBe(json);
});

test.each(["FP16", "BF16"] as const)(
  "flatJson() answers NOT_IMPLEMENTED when the type is %s",
  (datatype) => {
    expect(() => flatJson(tensorOf(datatype, [1], Uint16Array.of(0)))).toThrow(
      expect.objectContaining({
        code: "NOT_IMPLEMENTED",
        message: `Cannot write output "y" as JSON: ${datatype} has no JSON form, request it as binary data`,
      }),
    );
  },
);

test.each([
  [[], [5], "5"],
  [[3], [1, 2, 3], "[1,2,3]"],
  [[2, 2], [1, 2, 3, 4], "[[1,2],[3,4]]"],
  [[2, 1, 2], [1, 2, 3, 4], "[[[1,2]],[[3,4]]]"],
  [[0], [], "[]"],
  [[0, 3], [], "[]"],
  [[2, 0], [], "[[],[]]"],
  [[1, 0, 2], [], "[[]]"],
])("nestedJson() of shape %j nests as the shape says", (shape, data, json) => {
  expect(nestedJson(tensorOf("INT8", shape, Int8Array.from(data)))).toBe(json);
});

test.each([
  [[2, 2], [1, 2, 3, 4], "[3,4]"],
  [[2], [1, 2], "2"],
  [[2, 1, 2], [1, 2, 3, 4], "[[3,4]]"],
  [[2, 0], [], "[]"],
])("rowJson() of shape %j writes the part at one index of the first axis", (shape, data, json) => {
  expect(rowJson(tensorOf("INT8", shape, Int8Array.from(data)), 1)).toBe(json);
});

test("rowJson() writes the value when the tensor has no axes", () => {
  expect(rowJson(tensorOf("INT8", [], Int8Array.of(5)), 0)).toBe("5");
});

test.each([
  ["FP32", Float32Array.of(0.1, 3.4028234663852886e38, 1e-45, -0)],
  ["FP64", Float64Array.of(0.1, Number.MAX_VALUE, 5e-324, -0)],
  ["INT64", BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
  ["BYTES", ["", 'é\ud83d\ude00\u0000"']],
] as const)("flatJson() and readJsonArray() bring %s back unchanged", (datatype, data) => {
  const json = flatJson(tensorOf(datatype, [data.length], data as TensorData));
  const reader = new JsonReader(new TextEncoder().encode(json));
  expect(readJsonArray(reader, datatype, [], []).data).toEqual(data);
});

test.each([
  [5.1, 5.1],
  [0.97, 0.97],
  [NaN, NaN],
  [Infinity, Infinity],
  [16777216, 16777216],
  // Eight digits would name the neighbour: this one needs nine.
  [10.3836975, 10.3836975],
])("withShortNumbers() shortens FP32 %s and keeps the number", (value, short) => {
  const single = Math.fround(value);
  const { data } = withShortNumbers(tensorOf("FP32", [1], Float32Array.of(value)));
  expect(data[0]).toBe(short);
  expect(Math.fround(data[0] as number)).toBe(single);
});

test("withShortNumbers() leaves other types alone", () => {
  const tensor = tensorOf("FP64", [1], Float64Array.of(0.1));
  expect(withShortNumbers(tensor)).toBe(tensor);
});
