import { describe, expect, it } from "vitest";
import { decodeTensor } from "./decode-tensor.ts";
import { encodeTensor } from "./encode-tensor.ts";
import { readJson, writeJson } from "./json.ts";
import type { Tensor, TensorInput } from "./tensor.ts";

const INT64_EDGES = [-(2n ** 63n), -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n];

const ROUND_TRIPS: readonly Tensor[] = [
  { name: "x", datatype: "BOOL", shape: [2], data: Uint8Array.of(0, 1) },
  { name: "x", datatype: "UINT8", shape: [2], data: Uint8Array.of(0, 255) },
  { name: "x", datatype: "UINT16", shape: [2], data: Uint16Array.of(0, 65535) },
  { name: "x", datatype: "UINT32", shape: [2], data: Uint32Array.of(0, 4294967295) },
  { name: "x", datatype: "UINT64", shape: [2], data: BigUint64Array.of(0n, 2n ** 64n - 1n) },
  { name: "x", datatype: "INT8", shape: [2], data: Int8Array.of(-128, 127) },
  { name: "x", datatype: "INT16", shape: [2], data: Int16Array.of(-32768, 32767) },
  { name: "x", datatype: "INT32", shape: [2], data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) },
  { name: "x", datatype: "INT64", shape: [5], data: BigInt64Array.from(INT64_EDGES) },
  { name: "x", datatype: "FP32", shape: [1, 3], data: Float32Array.of(0.1, -0, 3.4e38) },
  { name: "x", datatype: "FP64", shape: [3], data: Float64Array.of(0.1, 1e20, 5e-324) },
  { name: "x", datatype: "BYTES", shape: [2, 1], data: ["", 'ü"\n'] },
  { name: "x", datatype: "FP32", shape: [0, 4], data: new Float32Array(0) },
];

describe("encodeTensor() and decodeTensor()", () => {
  it.each(ROUND_TRIPS)(
    "decodeTensor() gives back what encodeTensor() sent: $datatype",
    (tensor) => {
      expect(decodeTensor(readJson(writeJson(encodeTensor(tensor, 0))))).toEqual(tensor);
    },
  );
});

describe("encodeTensor()", () => {
  const inferred: readonly (readonly [string, TensorInput["data"]])[] = [
    ["UINT8", new Uint8Array(1)],
    ["UINT8", new Uint8ClampedArray(1)],
    ["INT64", new BigInt64Array(1)],
    ["INT64", [1n]],
    ["FP32", new Float32Array(1)],
    ["FP64", new Float64Array(1)],
    ["BYTES", ["a"]],
    ["BOOL", [true]],
  ];
  it.each(inferred)("encodeTensor() infers %s from the data", (datatype, data) => {
    expect(encodeTensor({ name: "x", shape: [1], data }, 0)).toMatchObject({ datatype });
  });

  it("encodeTensor() writes plain numbers with the datatype that is given", () => {
    const input: TensorInput = { name: "x", shape: [2], datatype: "INT64", data: [1, 2] };
    expect(writeJson(encodeTensor(input, 0))).toBe(
      '{"name":"x","shape":[2],"datatype":"INT64","data":[1,2]}',
    );
  });

  const refusals: readonly (readonly [string, Omit<TensorInput, "name">, (string | number)[]])[] = [
    ["plain numbers without a datatype", { shape: [1], data: [1] }, ["datatype"]],
    ["FP16", { shape: [1], datatype: "FP16", data: new Uint16Array(1) }, ["datatype"]],
    ["a shape of another size", { shape: [2, 2], data: new Float32Array(3) }, ["shape"]],
    ["a negative shape", { shape: [-2, -2], data: new Float32Array(4) }, ["shape"]],
    ["NaN", { shape: [2], data: Float32Array.of(0, NaN) }, ["data", 1]],
    ["Infinity", { shape: [1], data: Float64Array.of(Infinity) }, ["data", 0]],
    ["a number too large for FP32", { shape: [1], datatype: "FP32", data: [1e39] }, ["data", 0]],
    ["a fraction in INT32", { shape: [1], datatype: "INT32", data: [0.5] }, ["data", 0]],
    ["256 in UINT8", { shape: [2], datatype: "UINT8", data: [255, 256] }, ["data", 1]],
    ["2^63 in INT64", { shape: [1], data: [2n ** 63n] }, ["data", 0]],
    ["a rounded number in INT64", { shape: [1], datatype: "INT64", data: [2 ** 53] }, ["data", 0]],
    ["2 in BOOL", { shape: [1], datatype: "BOOL", data: Uint8Array.of(2) }, ["data", 0]],
    ["a number in BYTES", { shape: [1], datatype: "BYTES", data: [1] }, ["data", 0]],
  ];
  it.each(refusals)("encodeTensor() refuses %s and says where it is", (_name, input, place) => {
    expect(() => encodeTensor({ name: "x", ...input }, 3)).toThrow(
      expect.objectContaining({
        code: "INVALID_TENSOR",
        message: expect.stringContaining('Cannot send input "x": ') as string,
        problems: [expect.objectContaining({ location: ["body", "inputs", 3, ...place] })],
      }),
    );
  });
});

describe("decodeTensor()", () => {
  it("decodeTensor() reads null in FP32 as NaN", () => {
    const output = { name: "y", datatype: "FP32", shape: [2], data: [null, 1] };
    expect(decodeTensor(output).data).toEqual(Float32Array.of(NaN, 1));
  });

  it("decodeTensor() flattens data that is nested by shape", () => {
    const output = { name: "y", datatype: "INT32", shape: [2, 1], data: [[1], [2]] };
    expect(decodeTensor(output).data).toEqual(Int32Array.of(1, 2));
  });

  const refusals: readonly (readonly [string, object, string])[] = [
    ["an unknown datatype", { datatype: "FP8" }, 'output "y" has no known datatype'],
    ["FP16", { datatype: "FP16" }, "FP16 has no JSON form"],
    ["no data", { data: null }, 'output "y" has no data'],
    ["no shape", { shape: "1" }, 'output "y" has no shape'],
    ["no name", { name: null }, "an output has no name"],
    ["too few elements", { shape: [2] }, 'output "y" has 1 elements for [2]'],
    ["null in INT32", { data: [null] }, "element 0 is null, not exactly INT32"],
    ["text in INT32", { data: ["1"] }, 'element 0 is "1", not exactly INT32'],
    ["a rounded INT64", { datatype: "INT64", data: [2 ** 53] }, "not exactly INT64"],
    ["a number in BOOL", { datatype: "BOOL" }, "element 0 is 1, not exactly BOOL"],
    ["a number in BYTES", { datatype: "BYTES" }, "element 0 is 1, not exactly BYTES"],
    ["text in FP64", { datatype: "FP64", data: ["NaN"] }, "not exactly a float"],
  ];
  it.each(refusals)("decodeTensor() refuses %s", (_name, change, message) => {
    const output = { name: "y", datatype: "INT32", shape: [1], data: [1], ...change };
    expect(() => decodeTensor(output)).toThrow(message);
  });
});
