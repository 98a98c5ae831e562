import { describe, expect, test } from "vitest";
import { MillraceError } from "../errors.ts";
import { readInferReply } from "./read-infer-reply.ts";
import type { Tensor, TensorSpec } from "./tensor.ts";
import { writeInferRequest } from "./write-infer-request.ts";

const Y: TensorSpec = { name: "y", datatype: "FP32", shape: [-1, 2] };
const LABEL: TensorSpec = { name: "label", datatype: "INT64", shape: [-1] };

const GOOD_Y = { name: "y", shape: [1, 2], datatype: "FP32", data: [1, 2] };

function read(body: unknown, specs: readonly TensorSpec[] = [Y], binary?: Uint8Array): Tensor[] {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readInferReply(new TextEncoder().encode(text), specs, binary);
}

function errorOf(body: unknown, specs?: readonly TensorSpec[], binary?: Uint8Array): MillraceError {
  try {
    read(body, specs, binary);
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("readInferReply()", () => {
  test("readInferReply() gives the outputs in the order of the specs and ignores others", () => {
    const outputs = [
      { name: "other", shape: [1], datatype: "BYTES", data: ["x"] },
      GOOD_Y,
      { name: "label", datatype: "INT64", shape: [1], data: [0], parameters: { a: 1 } },
    ];
    expect(read({ model_name: "m", id: "1", outputs }, [LABEL, Y])).toEqual([
      { name: "label", datatype: "INT64", shape: [1], data: BigInt64Array.of(0n) },
      { name: "y", datatype: "FP32", shape: [1, 2], data: Float32Array.of(1, 2) },
    ]);
  });

  test("readInferReply() keeps every digit of whole numbers beyond 2^53", () => {
    const json = `{"outputs":[{"data":[9223372036854775807,-9223372036854775808],"name":"label","shape":[2],"datatype":"INT64"}]}`;
    expect(read(json, [LABEL])[0]?.data).toEqual(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)));
  });

  test("readInferReply() reads what stands behind the JSON, NaN included", () => {
    const binary = new Uint8Array(Float32Array.of(Number.NaN, -0).buffer);
    const outputs = [
      { ...GOOD_Y, data: undefined, parameters: { binary_data_size: binary.length } },
      { name: "label", datatype: "INT64", shape: [1], data: [7] },
    ];
    const [y, label] = read({ outputs }, [Y, LABEL], binary);
    expect(y?.data).toEqual(Float32Array.of(Number.NaN, -0));
    expect(label?.data).toEqual(BigInt64Array.of(7n));
  });

  test.each([
    ["outputs that are missing", {}, "INVALID_BODY", "body.outputs: missing"],
    ["an error instead", { error: "no" }, "INVALID_BODY", "body.outputs: missing"],
    ["a bare list", [], "INVALID_BODY", "body: found array"],
    [
      "an output that is missing",
      { outputs: [{ ...GOOD_Y, name: "z" }] },
      "INVALID_BODY",
      `the output "y" is missing`,
    ],
    [
      "an output that stands twice",
      { outputs: [GOOD_Y, GOOD_Y] },
      "INVALID_BODY",
      "outputs.1: the output",
    ],
    [
      "another datatype",
      { outputs: [{ ...GOOD_Y, datatype: "FP64" }] },
      "INVALID_TENSOR",
      "found FP64, expected FP32",
    ],
    [
      "no datatype",
      { outputs: [{ ...GOOD_Y, datatype: undefined }] },
      "INVALID_TENSOR",
      "found none, expected FP32",
    ],
    [
      "another shape",
      { outputs: [{ ...GOOD_Y, shape: [2] }] },
      "INVALID_TENSOR",
      "found [2], expected [-1, 2]",
    ],
    ["no shape", { outputs: [{ ...GOOD_Y, shape: undefined }] }, "INVALID_TENSOR", "found []"],
    [
      "a shape beyond 2^53",
      { outputs: [{ ...GOOD_Y, shape: [2 ** 52, 2] }] },
      "INVALID_BODY",
      "at most 2^53",
    ],
    [
      "fewer elements than the shape says",
      { outputs: [{ ...GOOD_Y, data: [1] }] },
      "INVALID_TENSOR",
      "found 1 elements, shape asks for 2",
    ],
    [
      "no elements",
      { outputs: [{ ...GOOD_Y, data: undefined }] },
      "INVALID_TENSOR",
      "found no elements",
    ],
    [
      "null for a number",
      { outputs: [{ ...GOOD_Y, data: [null, 1] }] },
      "INVALID_TENSOR",
      "found null, expected a number",
    ],
    [
      "bytes that are not there",
      { outputs: [{ ...GOOD_Y, data: undefined, parameters: { binary_data_size: 8 } }] },
      "INVALID_BODY",
      "inference-header-content-length is missing",
    ],
  ])("readInferReply() refuses %s", (_what, body, code, message) => {
    const error = errorOf(body);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  test("readInferReply() refuses more and fewer bytes than the outputs have", () => {
    const entry = { ...GOOD_Y, data: undefined, parameters: { binary_data_size: 8 } };
    expect(errorOf({ outputs: [entry] }, [Y], new Uint8Array(9)).message).toContain(
      "found 9 bytes behind the JSON, its outputs have 8",
    );
    expect(errorOf({ outputs: [entry] }, [Y], new Uint8Array(7)).message).toContain(
      "found 8, 7 bytes are left",
    );
  });
});

describe("writeInferRequest()", () => {
  const X: Tensor = {
    name: "x",
    datatype: "FP32",
    shape: [1, 2],
    data: Float32Array.of(1.5, -2),
  };
  const KEY: Tensor = { name: "key", datatype: "BYTES", shape: [1], data: ['ü"'] };

  test("writeInferRequest() writes inputs and names of outputs as JSON", () => {
    const { bytes, jsonBytes } = writeInferRequest([X, KEY], ["y"], false);
    expect(jsonBytes).toBeUndefined();
    expect(JSON.parse(bytes as string)).toEqual({
      inputs: [
        { name: "x", datatype: "FP32", shape: [1, 2], data: [1.5, -2] },
        { name: "key", datatype: "BYTES", shape: [1], data: ['ü"'] },
      ],
      outputs: [{ name: "y" }],
    });
  });

  test("writeInferRequest() puts the inputs behind the JSON and asks for the same", () => {
    const { bytes, jsonBytes = 0 } = writeInferRequest([X, KEY], ["y"], true);
    expect(jsonBytes % 8).toBe(0);
    const buffer = Buffer.from(bytes as Uint8Array);
    expect(JSON.parse(buffer.subarray(0, jsonBytes).toString())).toEqual({
      inputs: [
        { name: "x", datatype: "FP32", shape: [1, 2], parameters: { binary_data_size: 8 } },
        { name: "key", datatype: "BYTES", shape: [1], parameters: { binary_data_size: 7 } },
      ],
      outputs: [{ name: "y", parameters: { binary_data: true } }],
    });
    expect(buffer.subarray(jsonBytes)).toEqual(
      Buffer.concat([
        new Uint8Array(Float32Array.of(1.5, -2).buffer),
        Buffer.from([3, 0, 0, 0]),
        Buffer.from('ü"'),
      ]),
    );
  });
});
