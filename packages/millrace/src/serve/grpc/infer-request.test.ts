import { describe, expect, it } from "vitest";
import { ERRORS, MillraceError } from "../../core/errors.ts";
import { ProtobufError } from "../../core/protobuf/wire-reader.ts";
import { rawByteLength, writeRaw } from "../../core/tensor/raw-tensor.ts";
import { allocate, DATATYPES, type Datatype } from "../../core/tensor/datatype.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { TestRandom } from "../../core/test-random.ts";
import { matchInputs } from "../../core/tensor/match-inputs.ts";
import { readInferRequest } from "./infer-request.ts";
import { loadOracle, oracleOf } from "./test-oracle.ts";

const { encode } = oracleOf(loadOracle(), "ModelInfer").request;
const ALL = Object.keys(DATATYPES) as Datatype[];
const TYPED = ALL.filter((datatype) => datatype !== "FP16" && datatype !== "BF16");

const CONTENTS: Readonly<Record<string, string>> = {
  BOOL: "bool_contents",
  INT8: "int_contents",
  INT16: "int_contents",
  INT32: "int_contents",
  INT64: "int64_contents",
  UINT8: "uint_contents",
  UINT16: "uint_contents",
  UINT32: "uint_contents",
  UINT64: "uint64_contents",
  FP32: "fp32_contents",
  FP64: "fp64_contents",
  BYTES: "bytes_contents",
};

/** Elements at the edges of each type's range among random ones. */
function randomTensor(random: TestRandom, name: string, datatype: Datatype): Tensor {
  const count = random.below(20);
  const data = allocate(datatype, count);
  for (let i = 0; i < count; i++) (data as unknown[])[i] = randomElement(random, datatype);
  return { name, datatype, shape: count % 2 === 0 ? [2, count / 2] : [count], data };
}

function randomElement(random: TestRandom, datatype: Datatype): unknown {
  const row = DATATYPES[datatype];
  if (datatype === "BYTES") return random.pick(["", "text", "größe", "漢".repeat(30), "\u0000"]);
  if (datatype === "BOOL") return random.below(2);
  if (datatype === "FP16" || datatype === "BF16") return random.below(65536);
  if (!("min" in row)) return random.pick([NaN, Infinity, -Infinity, -0, 1.5, random.next()]);
  const value = random.pick([row.min, row.max, 0n, 1n, 127n]);
  return datatype.endsWith("64") ? value : Number(value);
}

function rawOf(tensor: Tensor): Buffer {
  const bytes = Buffer.alloc(rawByteLength(tensor));
  writeRaw(tensor, bytes, 0);
  return bytes;
}

function entryOf({ name, datatype, shape }: Tensor): object {
  return { name, datatype, shape };
}

function typedEntryOf(tensor: Tensor): object {
  const values = Array.from<unknown, unknown>(tensor.data, (value) => {
    if (tensor.datatype === "BOOL") return value === 1;
    return typeof value === "bigint"
      ? String(value)
      : tensor.datatype === "BYTES"
        ? Buffer.from(value as string)
        : value;
  });
  return { ...entryOf(tensor), contents: { [CONTENTS[tensor.datatype] as string]: values } };
}

/** What a model that takes just these tensors is given. */
function tensorsIn(bytes: Buffer, like: readonly Tensor[]): Tensor[] {
  return matchInputs(readInferRequest(bytes).inputs, like, []);
}

/** Reads a request whose inputs fit the model, as far as they are known at all. */
function readAll(bytes: Buffer): void {
  const { inputs } = readInferRequest(bytes);
  const specs = inputs.map(({ name = "", datatype = "BOOL", shape = [] }) => ({
    name,
    datatype,
    shape,
  }));
  matchInputs(inputs, specs, []);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtobufError) return "PROTOBUF";
    return error instanceof MillraceError ? error.code : String(error);
  }
  return "none";
}

describe("readInferRequest()", () => {
  const seed = Date.now() % 1e9;

  it.each(ALL)(
    "gives the tensors that protobufjs wrote as raw contents when they are %s",
    (datatype) => {
      const random = new TestRandom(seed);
      for (let round = 0; round < 100; round++) {
        const tensors = [randomTensor(random, "a", datatype), randomTensor(random, "b", datatype)];
        const bytes = encode({
          model_name: "iris",
          model_version: random.pick(["", "3"]),
          inputs: tensors.map(entryOf),
          raw_input_contents: tensors.map(rawOf),
        });
        // At every offset of memory, since views need alignment.
        const shifted = Buffer.concat([Buffer.alloc(round % 8), bytes]).subarray(round % 8);
        expect(tensorsIn(shifted, tensors), `seed ${seed}`).toEqual(tensors);
      }
    },
  );

  it.each(TYPED)(
    "gives the tensors that protobufjs wrote as typed contents when they are %s",
    (datatype) => {
      const random = new TestRandom(seed);
      for (let round = 0; round < 100; round++) {
        const tensors = [randomTensor(random, "a", datatype), randomTensor(random, "b", datatype)];
        const bytes = encode({ inputs: tensors.map(typedEntryOf) });
        expect(tensorsIn(bytes, tensors), `seed ${seed}`).toEqual(tensors);
      }
    },
  );

  it("gives names, id, parameters and outputs when they are there", () => {
    const request = readInferRequest(
      encode({
        model_name: "m",
        model_version: "2",
        id: "größe",
        parameters: {
          a: { bool_param: false },
          b: { int64_param: "-9223372036854775808" },
          c: { string_param: "" },
          d: { double_param: 0.5 },
          e: { uint64_param: "18446744073709551615" },
          f: { int64_param: "7" },
        },
        outputs: [{ name: "x" }, { name: "y", parameters: { classification: { int64_param: 3 } } }],
      }),
    );
    expect(request).toEqual({
      modelName: "m",
      modelVersion: "2",
      id: "größe",
      parameters: { a: false, b: -(2n ** 63n), c: "", d: 0.5, e: 2n ** 64n - 1n, f: 7 },
      inputs: [],
      outputs: [
        { name: "x", parameters: undefined },
        { name: "y", parameters: { classification: 3 } },
      ],
    });
  });

  it("reads elements that are not packed and fields it does not know when a client sends them", () => {
    const contents = Buffer.from([16, 5, 16, 127]); // int_contents twice, one varint each
    const input = Buffer.concat([
      Buffer.from([10, 1, 97, 18, 4]),
      Buffer.from("INT8"),
      Buffer.from([24, 2, 0xf8, 0x01, 9]), // shape 2 alone, field 31
      Buffer.from([42, contents.length]),
      contents,
    ]);
    const bytes = Buffer.concat([
      Buffer.from([42, input.length]),
      input,
      Buffer.from([0x95, 1, 0, 0, 0, 0]),
    ]);
    const expected = {
      name: "a",
      datatype: "INT8",
      shape: [2],
      data: Int8Array.of(5, 127),
    } as const;
    expect(tensorsIn(bytes, [expected])).toEqual([expected]);
  });

  const raw = Buffer.alloc(4);
  const input = { name: "a", datatype: "FP32", shape: [1] };
  it.each<[string, object, string]>([
    [
      "raw contents are fewer than inputs",
      { inputs: [input, input], raw_input_contents: [raw] },
      "INVALID_BODY",
    ],
    [
      "raw contents are more than inputs",
      { inputs: [input], raw_input_contents: [raw, raw] },
      "INVALID_BODY",
    ],
    [
      "an input has both contents",
      { inputs: [{ ...input, contents: { fp32_contents: [1] } }], raw_input_contents: [raw] },
      "INVALID_BODY",
    ],
    ["an input has no contents", { inputs: [input] }, "INVALID_TENSOR"],
    [
      "FP16 is not raw",
      { inputs: [{ ...input, datatype: "FP16", contents: { fp32_contents: [1] } }] },
      "INVALID_TENSOR",
    ],
    [
      "the field is another type's",
      { inputs: [{ ...input, contents: { fp64_contents: [1] } }] },
      "INVALID_TENSOR",
    ],
    [
      "an element is too large",
      { inputs: [{ ...input, datatype: "INT8", contents: { int_contents: [128] } }] },
      "INVALID_TENSOR",
    ],
    [
      "an element is too small",
      { inputs: [{ ...input, datatype: "INT16", contents: { int_contents: [-32769] } }] },
      "INVALID_TENSOR",
    ],
    [
      "an unsigned element is too large",
      { inputs: [{ ...input, datatype: "UINT8", contents: { uint_contents: [256] } }] },
      "INVALID_TENSOR",
    ],
    [
      "there are too few elements",
      { inputs: [{ ...input, shape: [3], contents: { fp32_contents: [1] } }] },
      "INVALID_TENSOR",
    ],
    [
      "there are too many elements",
      { inputs: [{ ...input, contents: { fp32_contents: [1, 2] } }] },
      "INVALID_TENSOR",
    ],
    [
      "raw bytes are short",
      { inputs: [{ ...input, shape: [2] }], raw_input_contents: [raw] },
      "INVALID_TENSOR",
    ],
    [
      "an extent is negative",
      { inputs: [{ ...input, shape: [-1] }], raw_input_contents: [raw] },
      "INVALID_TENSOR",
    ],
    [
      "the shape's product overflows",
      { inputs: [{ ...input, shape: ["4611686018427387904", 4] }], raw_input_contents: [raw] },
      "PROTOBUF",
    ],
    [
      "the shape asks for more than there is",
      { inputs: [{ ...input, shape: [2 ** 40], contents: { fp32_contents: [1] } }] },
      "INVALID_TENSOR",
    ],
    [
      "there are too many extents",
      { inputs: [{ ...input, shape: Array(100).fill(1) }], raw_input_contents: [raw] },
      "INVALID_BODY",
    ],
    [
      "the datatype is unknown",
      { inputs: [{ ...input, datatype: "FLOAT" }], raw_input_contents: [raw] },
      "INVALID_BODY",
    ],
    [
      "shared memory is asked for",
      { inputs: [{ ...input, parameters: { shared_memory_region: { string_param: "r" } } }] },
      "NOT_IMPLEMENTED",
    ],
    ["there are a million empty inputs", { inputs: Array(100_000).fill({}) }, "INVALID_BODY"],
  ])("refuses the request when %s", (_what, message, code) => {
    expect(codeOf(() => readAll(encode(message)))).toBe(code);
  });

  it("throws nothing but refusals when bytes are cut, flipped or random", () => {
    const random = new TestRandom(seed);
    const good = TYPED.map((datatype) => typedEntryOf(randomTensor(random, datatype, datatype)));
    const bytes = encode({
      model_name: "m",
      id: "1",
      inputs: good,
      parameters: { a: { bool_param: true } },
    });
    const codes = new Set<string>();
    for (let round = 0; round < 20_000; round++) {
      const broken = Buffer.from(bytes.subarray(0, random.below(bytes.length + 1)));
      for (let i = random.below(4); i > 0; i--)
        broken[random.below(broken.length)] = random.below(256);
      codes.add(codeOf(() => readAll(broken)));
    }
    codes.delete("none");
    codes.delete("PROTOBUF");
    for (const code of codes) expect(Object.keys(ERRORS), `seed ${seed}`).toContain(code);
    expect(codes).not.toContain("INTERNAL");
  });
});
