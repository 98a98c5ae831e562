import { describe, expect, test } from "vitest";
import type { Datatype } from "./datatype.ts";
import { readRawRequest } from "./read-raw-request.ts";
import type { TensorSpec } from "./tensor.ts";

function spec(datatype: Datatype, ...shape: number[]): TensorSpec {
  return { name: "x", datatype, shape };
}

function bytes(length: number): Uint8Array {
  return new Uint8Array(length);
}

describe("readRawRequest()", () => {
  test.each([
    ["one row of a batch", spec("FP32", -1, 4), 16, [1, 4]],
    ["an extent that may vary", spec("FP32", -1, -1), 12, [1, 3]],
    ["one in the middle", spec("INT8", -1, 2, -1, 3), 12, [1, 2, 2, 3]],
    ["a fixed shape", spec("INT16", 2, 3), 12, [2, 3]],
    ["a vector of any length", spec("INT64", -1), 24, [3]],
    ["a scalar", spec("FP64"), 8, []],
    ["no elements", spec("FP32", -1, -1), 0, [1, 0]],
  ])("readRawRequest() takes the body as %s", (_name, input, length, shape) => {
    expect(readRawRequest(bytes(length), [input])).toMatchObject({ name: "x", shape });
  });

  test.each([
    [spec("BYTES", -1), [1]],
    [spec("BYTES", -1, 1), [1, 1]],
  ])("readRawRequest() takes the body as the one element of %j", (input, shape) => {
    const body = new TextEncoder().encode("a\0é");
    expect(readRawRequest(body, [input])).toMatchObject({ shape, data: ["a\0é"] });
  });

  test.each([
    ["has no input", [], 4, "the model has 0 inputs, a raw body takes exactly one"],
    ["has two inputs", [spec("FP32", -1), spec("FP32", -1)], 4, "the model has 2 inputs"],
    ["has two free extents", [spec("FP32", -1, -1, -1)], 4, "takes one extent that may vary"],
    ["has many texts", [spec("BYTES", -1, 2)], 4, "has 2 elements, a raw body of BYTES is one"],
    ["needs more bytes", [spec("FP32", -1, 4)], 15, "found 15 bytes, shape asks for 4 elements"],
    ["needs whole elements", [spec("FP32", -1, -1)], 15, "found 15 bytes, shape asks for 3 elem"],
    ["needs a row", [spec("FP32", -1)], 0, "the body has 0 bytes, one row takes 4"],
  ])("readRawRequest() refuses when the model %s", (_name, specs, length, message) => {
    expect(() => readRawRequest(bytes(length), specs)).toThrow(message);
  });
});
