import { describe, expect, test } from "vitest";
import type { Datatype, TensorData } from "../../core/tensor/datatype.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import { checkClassification, classify } from "./classification.ts";

function classesOf(
  [datatype, shape, data]: readonly [Datatype, readonly number[], TensorData],
  classCount: number,
  specShape: readonly number[] = [-1, 3],
  labels?: readonly string[],
): Tensor {
  const spec: TensorSpec = { name: "y", datatype, shape: specShape };
  return classify({ name: "y", datatype, shape, data }, { spec, classCount }, labels);
}

describe("classify()", () => {
  test("classify() names the largest elements of each row with their labels", () => {
    const scores = Float32Array.of(0.1, 0.7, 0.2, 0.5, 0.3, 0.2);
    expect(classesOf(["FP32", [2, 3], scores], 2, [-1, 3], ["a", "b", "c"])).toEqual({
      name: "y",
      datatype: "BYTES",
      shape: [2, 2],
      data: ["0.7:1:b", "0.2:2:c", "0.5:0:a", "0.3:1:b"],
    });
  });

  test("classify() leaves out labels that are not there", () => {
    const { data } = classesOf(["FP64", [1, 3], Float64Array.of(0.1, 0.2, 0.3)], 3, [-1, 3], ["a"]);
    expect(data).toEqual(["0.3:2", "0.2:1", "0.1:0:a"]);
  });

  test("classify() gives as many classes as there are", () => {
    const result = classesOf(["INT8", [1, 2], Int8Array.of(-3, 4)], 10, [-1, 2]);
    expect(result).toMatchObject({ shape: [1, 2], data: ["4:1", "-3:0"] });
  });

  test("classify() takes a model without a batch as one row", () => {
    const result = classesOf(["INT32", [2, 2], Int32Array.of(1, 4, 3, 2)], 1, [2, 2]);
    expect(result).toMatchObject({ shape: [1], data: ["4:1"] });
  });

  test("classify() puts the first of equal elements first and NaN last", () => {
    const scores = Float32Array.of(NaN, 1, Infinity, 1, -1);
    const { data } = classesOf(["FP32", [1, 5], scores], 5, [-1, 5]);
    expect(data).toEqual(["Infinity:2", "1:1", "1:3", "-1:4", "NaN:0"]);
  });

  test("classify() keeps every digit of whole numbers", () => {
    const { data } = classesOf(["INT64", [1, 2], BigInt64Array.of(1n, 2n ** 63n - 1n)], 1, [-1, 2]);
    expect(data).toEqual(["9223372036854775807:1"]);
  });

  test.each<[Datatype, number[]]>([
    ["FP16", [0x3800, 0xc100, 0x0001, 0x7c00]], // 0.5, -2.5, 2^-24, Infinity
    ["BF16", [0x3f00, 0xc020, 0x3380, 0x7f80]],
  ])("classify() reads the bits of %s", (datatype, bits) => {
    const { data } = classesOf([datatype, [1, 4], Uint16Array.from(bits)], 4, [-1, 4]);
    expect((data as string[]).map((text) => text.split(":").map(Number))).toEqual([
      [Infinity, 3],
      [0.5, 0],
      [expect.closeTo(2 ** -24, 10), 2],
      [-2.5, 1],
    ]);
  });

  test("classify() gives no classes of rows without elements", () => {
    expect(classesOf(["FP32", [2, 0], Float32Array.of()], 1, [-1, -1])).toMatchObject({
      shape: [2, 0],
      data: [],
    });
  });
});

test("checkClassification() refuses classes of text", () => {
  const spec: TensorSpec = { name: "y", datatype: "BYTES", shape: [-1] };
  const output = { name: "y", spec, isBinary: undefined };
  expect(() => checkClassification([{ ...output, classCount: 0 }])).not.toThrow();
  expect(() => checkClassification([{ ...output, classCount: 1 }])).toThrow('"y" is text');
});
