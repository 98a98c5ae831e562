import { expect, it } from "vitest";
import { shortNestedJson, shortRowJson } from "./short-json.ts";
import type { Tensor } from "./tensor.ts";

function tensor(datatype: Tensor["datatype"], shape: number[], data: Tensor["data"]): Tensor {
  return { name: "t", datatype, shape, data };
}

it("shortRowJson() writes one row with the fewest digits", () => {
  const rows = tensor("FP32", [2, 2], Float32Array.of(5.1, -0.02, NaN, 1e-7));
  expect(shortRowJson(rows, 0)).toBe("[5.1,-0.02]");
  expect(shortRowJson(rows, 1)).toBe("[null,1e-7]");
});

it("shortRowJson() writes a row of one axis as a bare value", () => {
  expect(shortRowJson(tensor("INT64", [2], BigInt64Array.of(1n, 2n ** 63n - 1n)), 1)).toBe(
    "9223372036854775807",
  );
});

it.each([
  [tensor("BOOL", [2], Uint8Array.of(0, 1)), "[false,true]"],
  [tensor("BYTES", [1, 2], ['a"', "花"]), '[["a\\"","花"]]'],
  [tensor("FP16", [2], Uint16Array.of(0x3c00, 0x7c00)), "[1,null]"],
  [tensor("BF16", [1], Uint16Array.of(0x3f80)), "[1]"],
  [tensor("FP64", [2, 0], new Float64Array(0)), "[[],[]]"],
  [tensor("FP32", [], Float32Array.of(0.1)), "0.1"],
  [tensor("UINT64", [1, 1], BigUint64Array.of(2n ** 64n - 1n)), "[[18446744073709551615]]"],
])("shortNestedJson() writes every datatype: %#", (value, json) => {
  expect(shortNestedJson(value)).toBe(json);
});
