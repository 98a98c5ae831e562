import { describe, expect, it } from "vitest";
import { encodeBinaryTensor } from "./encode-tensor.ts";
import { decodeRaw } from "./raw-tensor.ts";
import type { Datatype, Tensor, TensorInput } from "./tensor.ts";

/** Elements and their bytes, written down by hand from the protocol's text. */
const GOLDEN: readonly (readonly [Datatype, Tensor["data"], readonly number[]])[] = [
  ["BOOL", Uint8Array.of(1, 0), [1, 0]],
  ["UINT8", Uint8Array.of(0, 255), [0, 255]],
  ["UINT16", Uint16Array.of(1), [1, 0]],
  ["UINT32", Uint32Array.of(0xfffffffe), [0xfe, 255, 255, 255]],
  ["UINT64", BigUint64Array.of(2n ** 64n - 2n), [0xfe, 255, 255, 255, 255, 255, 255, 255]],
  ["INT8", Int8Array.of(-128), [0x80]],
  ["INT16", Int16Array.of(-2), [0xfe, 0xff]],
  ["INT32", Int32Array.of(0x01020304), [4, 3, 2, 1]],
  ["INT64", BigInt64Array.of(-(2n ** 63n)), [0, 0, 0, 0, 0, 0, 0, 0x80]],
  ["FP16", Uint16Array.of(0x3c00), [0, 0x3c]],
  ["BF16", Uint16Array.of(0x3f80), [0x80, 0x3f]],
  ["FP32", Float32Array.of(-2.5), [0, 0, 0x20, 0xc0]],
  ["FP64", Float64Array.of(-2.5), [0, 0, 0, 0, 0, 0, 0x04, 0xc0]],
  ["FP32", Float32Array.of(), []],
];

describe("golden bytes", () => {
  it.each(GOLDEN)("encodeBinaryTensor() and decodeRaw() of %s agree", (datatype, data, bytes) => {
    const shape = [data.length];
    const encoded = encodeBinaryTensor({ name: "x", datatype, shape, data }, 0);
    const parameters = { binary_data_size: bytes.length };
    expect(encoded.members).toEqual({ name: "x", datatype, shape, parameters });
    expect([...(encoded.bytes ?? [])]).toEqual(bytes);
    const odd = Uint8Array.from([0, ...bytes]).subarray(1);
    expect(decodeRaw(datatype, odd, data.length)).toEqual(data);
  });

  it("decodeRaw() reads text with its lengths", () => {
    const bytes = Uint8Array.of(2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0, 3, 0, 0, 0, 0xef, 0xbb, 0xbf);
    expect(decodeRaw("BYTES", bytes, 3)).toEqual(["é", "", "\ufeff"]);
  });
});

describe("decodeRaw()", () => {
  it("decodeRaw() gives storage that is exactly as large as its elements", () => {
    expect(decodeRaw("INT8", new Uint8Array(8).subarray(2, 4), 2).buffer.byteLength).toBe(2);
  });

  const refusals: readonly (readonly [string, Datatype, number, number[], string])[] = [
    ["too few bytes", "FP32", 1, [0, 0, 0], "3 bytes are not 1 elements of FP32"],
    ["an unknown count", "INT8", NaN, [0], "1 bytes are not NaN elements of INT8"],
    ["a length past the end", "BYTES", 1, [2, 0, 0, 0, 65], "5 bytes are not 1 elements"],
    ["a length that is cut off", "BYTES", 1, [0, 0, 0], "3 bytes are not 1 elements"],
    ["more text than the shape says", "BYTES", 0, [0, 0, 0, 0], "4 bytes are not 0 elements"],
    ["text that is not UTF-8", "BYTES", 1, [1, 0, 0, 0, 0xff], "element 0 is not UTF-8"],
  ];
  it.each(refusals)("decodeRaw() refuses %s", (...[, datatype, count, bytes, message]) => {
    expect(() => decodeRaw(datatype, Uint8Array.from(bytes), count)).toThrow(message);
  });
});

describe("encodeBinaryTensor()", () => {
  const asJson: readonly (readonly [string, Omit<TensorInput, "name">])[] = [
    ["text", { shape: [1], data: ["a"] }],
    ["plain numbers", { shape: [1], datatype: "FP32", data: [1] }],
    ["an array of another datatype", { shape: [1], datatype: "INT32", data: Float32Array.of(1) }],
  ];
  it.each(asJson)("encodeBinaryTensor() gives %s as JSON", (_name, input) => {
    const { members, bytes } = encodeBinaryTensor({ name: "x", ...input }, 0);
    expect(bytes).toBeUndefined();
    expect(members).toMatchObject({ data: input.data });
  });

  const refusals: readonly (readonly [string, Omit<TensorInput, "name">, (string | number)[]])[] = [
    ["a shape of another size", { shape: [2], data: new Float32Array(3) }, ["shape"]],
    ["plain numbers without a datatype", { shape: [1], data: [1] }, ["datatype"]],
    ["2 in BOOL", { shape: [2], datatype: "BOOL", data: Uint8Array.of(1, 2) }, ["data", 1]],
    ["FP16 in plain numbers", { shape: [1], datatype: "FP16", data: [1] }, ["datatype"]],
    [
      "a fraction in INT8",
      { shape: [1], datatype: "INT8", data: Float32Array.of(0.5) },
      ["data", 0],
    ],
  ];
  it.each(refusals)("encodeBinaryTensor() refuses %s", (_name, input, place) => {
    expect(() => encodeBinaryTensor({ name: "x", ...input }, 3)).toThrow(
      expect.objectContaining({
        code: "INVALID_TENSOR",
        problems: [expect.objectContaining({ location: ["body", "inputs", 3, ...place] })],
      }),
    );
  });
});
