import { describe, expect, test } from "vitest";
import { MillraceError } from "../errors.ts";
import { TestRandom } from "../test-random.ts";
import { allocate, type Datatype } from "./datatype.ts";
import { rawByteLength, writeRaw } from "./raw-tensor.ts";
import { readInferRequest, type InferRequest } from "./read-infer-request.ts";
import type { Tensor, TensorSpec } from "./tensor.ts";
import { flatJson } from "./write-json.ts";

const A: TensorSpec = { name: "a", datatype: "INT16", shape: [-1, 2] };
const B: TensorSpec = { name: "b", datatype: "BYTES", shape: [-1] };
const ONE_A = { name: "a", datatype: "INT16", shape: [1, 2] };
const ONE_B = { name: "b", datatype: "BYTES", shape: [1] };
const A_BYTES = [0x01, 0x00, 0xff, 0xff];
const B_BYTES = [2, 0, 0, 0, 0x68, 0x69];

function sized(input: object, binary_data_size: number): object {
  return { ...input, parameters: { binary_data_size } };
}

function read(
  inputs: readonly object[],
  binary: readonly number[] | undefined,
  specs: readonly TensorSpec[] = [A, B],
): InferRequest {
  const json = new TextEncoder().encode(JSON.stringify({ inputs }));
  return readInferRequest(json, specs, binary && Uint8Array.from(binary));
}

describe("readInferRequest() reads binary inputs", () => {
  test("readInferRequest() takes them from behind the JSON, in the order of the body", () => {
    const { inputs } = read([sized(ONE_B, 6), sized(ONE_A, 4)], [...B_BYTES, ...A_BYTES]);
    expect(inputs).toEqual([
      { ...ONE_A, data: Int16Array.of(1, -1) },
      { ...ONE_B, data: ["hi"] },
    ]);
  });

  test("readInferRequest() takes JSON and binary inputs in one request", () => {
    const { inputs } = read([sized(ONE_A, 4), { ...ONE_B, data: ["hi"] }], A_BYTES);
    expect(inputs.map(({ data }) => data)).toEqual([Int16Array.of(1, -1), ["hi"]]);
  });

  test("readInferRequest() prefers data to binary_data_size", () => {
    const both = { ...sized(ONE_A, 4), data: [5, 6] };
    const { inputs } = read([both, sized(ONE_B, 6)], B_BYTES);
    expect(inputs.map(({ data }) => data)).toEqual([Int16Array.of(5, 6), ["hi"]]);
  });

  test("readInferRequest() takes no bytes for no elements", () => {
    const empty = sized({ name: "e", datatype: "FP32", shape: [1, 0] }, 0);
    const { inputs } = read([empty], [], [{ name: "e", datatype: "FP32", shape: [-1, -1] }]);
    expect(inputs[0]?.data).toEqual(Float32Array.of());
  });

  test("readInferRequest() takes a body whose inputs are all JSON", () => {
    expect(read([{ ...ONE_A, data: [1, 2] }], [], [A]).inputs).toHaveLength(1);
  });
});

describe("readInferRequest() refuses binary inputs", () => {
  test.each<[string, object[], number[] | undefined, string, string]>([
    [
      "without the header",
      [sized(ONE_A, 4), sized(ONE_B, 6)],
      undefined,
      "body.inputs.0.parameters.binary_data_size",
      "the header inference-header-content-length is missing",
    ],
    [
      "whose size is larger than what is left",
      [sized(ONE_A, 4), sized(ONE_B, 6)],
      A_BYTES,
      "body.inputs.1.parameters.binary_data_size",
      "found 6, 0 bytes are left in the body",
    ],
    [
      "with bytes behind the last",
      [sized(ONE_A, 4), { ...ONE_B, data: ["hi"] }],
      [...A_BYTES, 0],
      "body",
      "found 5 bytes behind the JSON, its inputs have 4 (binary_data_size)",
    ],
    [
      "whose size is not that of the shape",
      [sized(ONE_A, 3), { ...ONE_B, data: ["hi"] }],
      [1, 2, 3],
      "body.inputs.0.data",
      "found 3 bytes, shape asks for 2 elements of INT16 (4 bytes)",
    ],
    [
      "whose text ends early",
      [{ ...ONE_A, data: [1, 2] }, sized(ONE_B, 5)],
      B_BYTES.slice(0, 5),
      "body.inputs.1.data.0",
      "its length is 2, 1 bytes are left",
    ],
    [
      "of another datatype, whatever their bytes",
      [sized({ ...ONE_A, datatype: "FP32" }, 1), { ...ONE_B, data: ["hi"] }],
      [0],
      "body.inputs.0.datatype",
      "found FP32, expected INT16",
    ],
    [
      "that stand twice",
      [sized(ONE_A, 4), sized(ONE_A, 4), sized(ONE_B, 6)],
      [...A_BYTES, ...A_BYTES, ...B_BYTES],
      "body.inputs.1.name",
      'the input "a" stands twice',
    ],
    [
      "of a shape whose bytes are more than any number",
      [sized({ ...ONE_A, shape: [2 ** 52 - 1, 2] }, 4), { ...ONE_B, data: ["hi"] }],
      A_BYTES,
      "body.inputs.0.data",
      "found 4 bytes",
    ],
  ])("readInferRequest() refuses binary inputs %s", (...[, inputs, binary, place, message]) => {
    const error = errorOf(() => read(inputs, binary));
    expect(error.problems[0]?.location.join(".")).toBe(place);
    expect(error.problems[0]?.message).toContain(message);
  });
});

describe("random requests", () => {
  const random = new TestRandom(42_4242);

  test(`JSON and binary carry the same tensors (seed ${random.seed})`, () => {
    for (let round = 0; round < 200; round++) {
      const tensors = Array.from({ length: 1 + random.below(4) }, (_, i) =>
        randomTensor(`t${i}`, random),
      );
      const request = encode(tensors, random);
      const { inputs } = readInferRequest(request.json, tensors, request.binary);
      expect(inputs, `round ${round}`).toEqual(tensors);
    }
  });

  test(`a damaged body is refused with a place (seed ${random.seed})`, () => {
    let refusals = 0;
    for (let round = 0; round < 500; round++) {
      const tensors = [randomTensor("t0", random), randomTensor("t1", random)];
      const { json, binary } = encode(tensors, random);
      const bytes = Uint8Array.from([...json, ...binary]);
      for (let i = 0; i < 3; i++) bytes[random.below(bytes.length)] = random.below(256);
      const end = bytes.length - random.below(3);
      try {
        readInferRequest(bytes.subarray(0, json.length), tensors, bytes.subarray(json.length, end));
      } catch (error) {
        refusals++;
        expect((error as MillraceError).problems[0]?.location[0]).toBe("body");
      }
    }
    expect(refusals).toBeGreaterThan(250);
  });
});

function randomTensor(name: string, random: TestRandom): Tensor {
  const datatype = random.pick<Datatype>(["BOOL", "INT64", "UINT8", "INT16", "FP32", "BYTES"]);
  const shape = [1 + random.below(2), 1 + random.below(5)];
  const count = (shape[0] ?? 0) * (shape[1] ?? 0);
  const data = allocate(datatype, count);
  for (let i = 0; i < count; i++) {
    if (Array.isArray(data)) data[i] = random.pick(["", "a", "é🙂"]);
    else if (datatype === "INT64") (data as BigInt64Array)[i] = BigInt(random.below(2 ** 53)) * 99n;
    else (data as Float32Array)[i] = datatype === "BOOL" ? random.below(2) : random.below(250);
  }
  return { name, datatype, shape: [1, ...shape], data };
}

/** Each input as JSON or as bytes, as chance will have it. */
function encode(
  tensors: readonly Tensor[],
  random: TestRandom,
): { readonly json: Uint8Array; readonly binary: Uint8Array } {
  const raw: Tensor[] = [];
  const inputs = tensors.map((tensor) => {
    const { name, datatype, shape } = tensor;
    const head = `{"name":"${name}","datatype":"${datatype}","shape":[${shape.join(",")}]`;
    if (random.below(2) === 0) return `${head},"data":${flatJson(tensor)}}`;
    raw.push(tensor);
    return `${head},"parameters":{"binary_data_size":${rawByteLength(tensor)}}}`;
  });
  const binary = new Uint8Array(raw.reduce((sum, tensor) => sum + rawByteLength(tensor), 0));
  let at = 0;
  for (const tensor of raw) at = writeRaw(tensor, binary, at);
  return { json: new TextEncoder().encode(`{"inputs":[${inputs.join(",")}]}`), binary };
}

function errorOf(action: () => unknown): MillraceError {
  try {
    action();
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
