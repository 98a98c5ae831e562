import { describe, expect, test } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import { JsonReader } from "../../core/json-reader.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import type { HttpReply } from "./http-call.ts";
import { JsonProtocol } from "./protocol-json.ts";
import { KserveV1Protocol } from "./protocol-kserve-v1.ts";
import { OipProtocol } from "./protocol-oip.ts";
import { TensorflowProtocol } from "./protocol-tensorflow.ts";
import type { AskFor, Protocol, Written } from "./protocol.ts";
import { readAddress } from "./remote-address.ts";

const X: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 2] };
const KEY: TensorSpec = { name: "key", datatype: "INT64", shape: [-1] };
const IMAGE: TensorSpec = { name: "image_bytes", datatype: "BYTES", shape: [-1] };
const Y: TensorSpec = { name: "y", datatype: "FP32", shape: [-1, 2] };
const LABEL: TensorSpec = { name: "label", datatype: "BYTES", shape: [-1] };
const COUNT: TensorSpec = { name: "count", datatype: "INT64", shape: [-1] };

const x: Tensor = { ...X, shape: [2, 2], data: Float32Array.of(1, 2, 3, 4.5) };
const key: Tensor = { ...KEY, shape: [2], data: BigInt64Array.of(1n, 2n ** 63n - 1n) };
const image: Tensor = { ...IMAGE, shape: [2], data: ['a"b', "ü"] };

const PATHS = { server: "/v2", model: "/v1/models/m" };
const tensorflow = (): TensorflowProtocol => new TensorflowProtocol(PATHS);
const kserve = (): KserveV1Protocol => new KserveV1Protocol(PATHS);
const json = (): JsonProtocol => new JsonProtocol(readAddress("far", "http://h/score"));
const oip = (): OipProtocol => new OipProtocol({ server: "/v2", model: "/v2/models/m" });

function textOf({ body }: Written): string {
  expect(typeof body).toBe("string");
  return body as string;
}

function replyOf(body: unknown, headers: Record<string, string> = {}): HttpReply {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status: 200, headers, bytes: Buffer.from(text) };
}

/** Elements and shapes of what was read. */
function read(
  protocol: Protocol,
  body: unknown,
  outputs: readonly TensorSpec[],
  rows = 2,
): unknown {
  const tensors = protocol.read(replyOf(body), { inputs: [], outputs }, rows);
  expect(tensors.map(({ name }) => name)).toEqual(outputs.map(({ name }) => name));
  return tensors.map(({ data, shape }) => [[...data], shape]);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof MillraceError) return error.code;
    throw error;
  }
  return "nothing was thrown";
}

function answers(bodies: Readonly<Record<string, unknown>>): AskFor {
  return (path) => {
    const body = bodies[path];
    if (body === undefined) return Promise.resolve(undefined);
    return Promise.resolve(new JsonReader(Buffer.from(JSON.stringify(body))).readValue());
  };
}

describe("TensorflowProtocol", () => {
  test("write() sends rows where every tensor counts them, with every digit", () => {
    expect(textOf(tensorflow().write([x], { inputs: [X], outputs: [Y] }))).toBe(
      '{"instances":[[1,2],[3,4.5]]}',
    );
    expect(textOf(tensorflow().write([x, key], { inputs: [X, KEY], outputs: [Y] }))).toBe(
      '{"instances":[{"x":[1,2],"key":1},{"x":[3,4.5],"key":9223372036854775807}]}',
    );
  });

  test("write() sends tensors where one does not count rows", () => {
    const one: Tensor = { ...KEY, shape: [1], data: BigInt64Array.of(5n) };
    expect(textOf(tensorflow().write([x, one], { inputs: [X, KEY], outputs: [Y] }))).toBe(
      '{"inputs":{"x":[[1,2],[3,4.5]],"key":[5]}}',
    );
    const fixed = { ...Y, shape: [7] };
    expect(textOf(tensorflow().write([x], { inputs: [X], outputs: [fixed] }))).toBe(
      '{"inputs":{"x":[[1,2],[3,4.5]]}}',
    );
  });

  test("write() sends text of inputs called _bytes as base64", () => {
    const specs = { inputs: [IMAGE], outputs: [Y] };
    expect(textOf(tensorflow().write([image], specs))).toBe(
      '{"instances":[{"b64":"YSJi"},{"b64":"w7w="}]}',
    );
    expect(textOf(tensorflow().write([image, key], specs))).toBe(
      '{"instances":[{"image_bytes":{"b64":"YSJi"},"key":1},{"image_bytes":{"b64":"w7w="},"key":9223372036854775807}]}',
    );
    expect(textOf(tensorflow().write([{ ...image, name: "image" }], specs))).toBe(
      '{"instances":["a\\"b","ü"]}',
    );
  });

  test("read() takes predictions and outputs, by row and by name", () => {
    const rows = [
      [0.5, 1],
      [2, 3],
    ];
    const flat = [
      [0.5, 1, 2, 3],
      [2, 2],
    ];
    expect(read(tensorflow(), { predictions: rows }, [Y])).toEqual([flat]);
    expect(read(tensorflow(), { outputs: rows }, [Y])).toEqual([flat]);
    expect(read(tensorflow(), { outputs: { y: rows, z: 1 } }, [Y])).toEqual([flat]);
    const records = [
      { label: "a", y: rows[0], z: null },
      { y: rows[1], label: "b" },
    ];
    expect(read(tensorflow(), { predictions: records }, [Y, LABEL])).toEqual([
      flat,
      [["a", "b"], [2]],
    ]);
    expect(read(tensorflow(), { predictions: records }, [Y])).toEqual([flat]);
  });

  test("read() keeps every digit, and takes text as base64", () => {
    expect(read(tensorflow(), '{"predictions":[9223372036854775807,-1]}', [COUNT])).toEqual([
      [[9223372036854775807n, -1n], [2]],
    ]);
    expect(read(tensorflow(), { predictions: ["a", { b64: "w7w=" }] }, [LABEL])).toEqual([
      [["a", "ü"], [2]],
    ]);
    expect(read(tensorflow(), { predictions: [{ b64: "YQ==" }, { b64: "" }] }, [LABEL])).toEqual([
      [["a", ""], [2]],
    ]);
  });

  test("read() takes base64 of megabytes", () => {
    const b64 = "YWFh".repeat(2_000_000);
    const found = read(tensorflow(), { predictions: [{ b64 }] }, [LABEL]);
    const [[[text]]] = found as [[[string], number[]]];
    expect(text).toHaveLength(6_000_000);
  });

  test.each([
    ["no JSON", "<html>"],
    ["NaN, which is no JSON", '{"predictions":[[NaN,1],[1,2]]}'],
    ["null for a number", { predictions: [[null, 1]] }],
    ["an error", { error: "no" }],
    ["another type", { predictions: [["a", "b"]] }],
    ["a number FP32 cannot hold", '{"predictions":[[1e39,1]]}'],
    ["ragged rows", { predictions: [[1, 2], [3]] }],
    ["a list that ends", '{"predictions":[[1,2],'],
    ["something behind the end", '{"predictions":[[1,2]]}{}'],
    ["the member twice", '{"predictions":[[1,2]],"predictions":[[1,2]]}'],
    ["a bare list", [[1, 2]]],
    ["rows too deep", `{"predictions":${"[".repeat(5_000)}${"]".repeat(5_000)}}`],
    ["objects too deep", `{"predictions":[[1,2]],"x":${'{"a":'.repeat(5_000)}`],
  ])("read() refuses %s", (_what, body) => {
    expect(codeOf(() => read(tensorflow(), body, [Y]))).toMatch(/^INVALID_/);
  });

  test.each([
    ["a record without an output", { predictions: [{ y: [1, 2] }] }],
    ["a row that is no record", { predictions: [{ y: [1, 2], label: "a" }, 1] }],
    [
      "rows of different shapes",
      {
        predictions: [
          { y: [1, 2], label: "a" },
          { y: [1], label: "a" },
        ],
      },
    ],
    ["one list for two outputs", { predictions: [[1, 2]] }],
    ["an output twice", '{"outputs":{"y":[[1,2]],"y":[[1,2]],"label":["a"]}}'],
    ["text that is no base64", { outputs: { y: [[1, 2]], label: [{ b64: "a" }] } }],
    ["base64 with too much padding", { outputs: { y: [[1, 2]], label: [{ b64: "a===" }] } }],
    ["bytes that are no text", { outputs: { y: [[1, 2]], label: [{ b64: "/w==" }] } }],
    ["text of different depth", { outputs: { y: [[1, 2]], label: [["a"], "b"] } }],
    ["text too deep", `{"outputs":{"y":[[1,2]],"label":${"[".repeat(40)}"a"${"]".repeat(40)}}}`],
  ])("read() of two outputs refuses %s", (_what, body) => {
    expect(codeOf(() => read(tensorflow(), body, [Y, LABEL]))).toMatch(/^INVALID_/);
  });

  const dim = (...sizes: unknown[]): object => ({
    tensor_shape: { dim: sizes.map((size) => ({ size, name: "" })), unknown_rank: false },
  });
  const signature = {
    inputs: {
      x: { dtype: "DT_FLOAT", ...dim("-1", "2"), name: "serving_default_x:0" },
      odd: { dtype: "DT_VARIANT", tensor_shape: { unknown_rank: true, dim: [] } },
      none: { dtype: "constructor", ...dim("-1") },
    },
    outputs: { y: { dtype: "DT_INT64", ...dim("-1") } },
  };
  const metadataOf = (signatures: object): Record<string, unknown> => ({
    "/v1/models/m/metadata": { metadata: { signature_def: { signature_def: signatures } } },
  });

  test("describe() reads types and shapes of the default signature", async () => {
    const ask = answers(
      metadataOf({ __saved_model_init_op: {}, other: {}, serving_default: signature }),
    );
    expect(await tensorflow().describe(ask)).toEqual({
      inputs: [
        { name: "x", datatype: "FP32", shape: [-1, 2] },
        { name: "odd", datatype: undefined, shape: undefined },
        { name: "none", datatype: undefined, shape: [-1] },
      ],
      outputs: [{ name: "y", datatype: "INT64", shape: [-1] }],
    });
  });

  test("describe() takes the only signature there is, which requests then name", async () => {
    const protocol = tensorflow();
    const said = await protocol.describe(answers(metadataOf({ __init: {}, score: signature })));
    expect(said?.outputs).toHaveLength(1);
    expect(textOf(protocol.write([x], { inputs: [X], outputs: [Y] }))).toBe(
      '{"signature_name":"score","instances":[[1,2],[3,4.5]]}',
    );
  });

  test("describe() gives nothing when there is no signature to choose", async () => {
    expect(await tensorflow().describe(answers(metadataOf({ a: {}, b: {} })))).toBeUndefined();
    expect(await tensorflow().describe(answers({}))).toBeUndefined();
  });
});

describe("KserveV1Protocol", () => {
  test("write() and read() use instances and predictions", () => {
    expect(textOf(kserve().write([x]))).toBe('{"instances":[[1,2],[3,4.5]]}');
    expect(read(kserve(), { predictions: [[1, 2]] }, [Y])).toEqual([
      [
        [1, 2],
        [1, 2],
      ],
    ]);
    expect(codeOf(() => read(kserve(), { outputs: [[1, 2]] }, [Y]))).toBe("INVALID_BODY");
    expect(textOf(kserve().write([image]))).toBe('{"instances":["a\\"b","ü"]}');
  });

  test.each([NaN, Infinity, -Infinity])("write() refuses %s, which JSON has not", (value) => {
    const bad: Tensor = { ...X, shape: [1, 2], data: Float32Array.of(1, value) };
    for (const protocol of [kserve(), tensorflow(), json(), oip()]) {
      expect(codeOf(() => protocol.write([bad], { inputs: [X], outputs: [Y] }))).toBe(
        "INVALID_TENSOR",
      );
    }
  });
});

describe("JsonProtocol", () => {
  test("write() posts the rows of one input as data, of several by their names", () => {
    expect(textOf(json().write([x]))).toBe('{"data":[[1,2],[3,4.5]]}');
    expect(textOf(json().write([key, x]))).toBe(
      '{"key":[1,9223372036854775807],"x":[[1,2],[3,4.5]]}',
    );
  });

  test("read() takes outputs by name, in prediction, or as the bare rows", () => {
    const rows = [
      [1, 2],
      [3, 4],
    ];
    const flat = [
      [1, 2, 3, 4],
      [2, 2],
    ];
    expect(read(json(), { y: rows, prediction: 5 }, [Y])).toEqual([flat]);
    expect(read(json(), { prediction: rows, mode: "a" }, [Y])).toEqual([flat]);
    expect(read(json(), rows, [Y])).toEqual([flat]);
    expect(read(json(), { prediction: { y: rows, label: ["a", "b"] } }, [Y, LABEL])).toEqual([
      flat,
      [["a", "b"], [2]],
    ]);
    expect(read(json(), [{ y: [1, 2], label: "a" }], [Y, LABEL])).toEqual([
      [
        [1, 2],
        [1, 2],
      ],
      [["a"], [1]],
    ]);
  });

  test("read() takes one row without the brackets around it, and several not", () => {
    expect(read(json(), { prediction: [1, 2] }, [Y], 1)).toEqual([
      [
        [1, 2],
        [1, 2],
      ],
    ]);
    expect(read(json(), { prediction: "a" }, [LABEL], 1)).toEqual([[["a"], [1]]]);
    expect(read(json(), "7", [COUNT], 1)).toEqual([[[7n], [1]]]);
    expect(read(json(), { y: [1, 2], label: "a" }, [Y, LABEL], 1)).toEqual([
      [
        [1, 2],
        [1, 2],
      ],
      [["a"], [1]],
    ]);
    expect(read(json(), { prediction: [1, 2] }, [Y], 2)).toEqual([[[1, 2], [2]]]);
  });

  test.each([
    ["nothing of it", { result: 1 }],
    ["nothing", ""],
    ["two values", "[[1,2]] [[1,2]]"],
    ["prediction twice", '{"prediction":[[1,2]],"prediction":[[1,2]]}'],
    [
      "a thousand members and one",
      JSON.stringify(Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`m${i}`, i]))),
    ],
  ])("read() refuses %s", (_what, body) => {
    expect(codeOf(() => read(json(), body, [Y]))).toMatch(/^INVALID_/);
  });
});

describe("OipProtocol", () => {
  const model = {
    name: "m",
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
    outputs: [
      { name: "y", datatype: "FP32", shape: [-1, 2] },
      { name: "odd", datatype: "COMPLEX", shape: [-2] },
    ],
  };

  test("describe() reads the model, and whether tensors can be binary", async () => {
    const protocol = oip();
    const server = { name: "s", extensions: ["statistics", "binary_tensor_data"] };
    expect(await protocol.describe(answers({ "/v2": server, "/v2/models/m": model }))).toEqual({
      inputs: [X],
      outputs: [Y, { name: "odd", datatype: undefined, shape: undefined }],
    });
    expect(protocol.isBinary).toBe(true);
    const written = protocol.write([x], { inputs: [X], outputs: [Y] });
    expect(written.headers["content-type"]).toBe("application/octet-stream");
    const jsonBytes = Number(written.headers["inference-header-content-length"]);
    expect(written.body.length).toBe(jsonBytes + 16);
  });

  test("describe() leaves JSON when the server does not know the extension", async () => {
    const protocol = oip();
    expect(await protocol.describe(answers({ "/v2": { name: "s" } }))).toBeUndefined();
    const written = protocol.write([x], { inputs: [X], outputs: [Y] });
    expect(JSON.parse(textOf(written))).toEqual({
      inputs: [{ name: "x", shape: [2, 2], datatype: "FP32", data: [1, 2, 3, 4.5] }],
      outputs: [{ name: "y" }],
    });
    expect(written.headers).toEqual({});
  });

  test.each(["x", "-1", "1e3", "99999999999", "1000"])(
    "read() refuses %s as the length of its JSON",
    (length) => {
      const reply = replyOf("{}", { "inference-header-content-length": length });
      expect(codeOf(() => oip().read(reply, { inputs: [X], outputs: [Y] }))).toBe("INVALID_BODY");
    },
  );

  test("read() takes binary outputs, NaN among them", () => {
    const jsonText = JSON.stringify({
      model_name: "m",
      outputs: [
        { name: "y", shape: [1, 2], datatype: "FP32", parameters: { binary_data_size: 8 } },
      ],
    });
    const bytes = Buffer.concat([
      Buffer.from(jsonText),
      new Uint8Array(Float32Array.of(NaN, 1).buffer),
    ]);
    const headers = { "inference-header-content-length": String(jsonText.length) };
    const [y] = oip().read({ status: 200, headers, bytes }, { inputs: [X], outputs: [Y] });
    expect(y?.data).toEqual(Float32Array.of(NaN, 1));
  });
});
