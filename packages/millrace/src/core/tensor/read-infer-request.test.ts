import { describe, expect, test } from "vitest";
import { MillraceError } from "../errors.ts";
import { readInferRequest, type InferRequest } from "./read-infer-request.ts";
import type { TensorSpec } from "./tensor.ts";

const X: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 2] };
const Y: TensorSpec = { name: "y", datatype: "INT64", shape: [-1] };

const GOOD_X = { name: "x", shape: [1, 2], datatype: "FP32", data: [1, 2] };
const GOOD_Y = { name: "y", shape: [1], datatype: "INT64", data: [1] };

/** @param body the text itself, or a value that is written as JSON. */
function read(body: unknown, specs: readonly TensorSpec[] = [X]): InferRequest {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readInferRequest(new TextEncoder().encode(text), specs);
}

function errorOf(body: unknown, specs: readonly TensorSpec[] = [X]): MillraceError {
  try {
    read(body, specs);
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("readInferRequest() reads", () => {
  test("readInferRequest() gives id, inputs and outputs when all are there", () => {
    expect(read({ id: "42", inputs: [GOOD_X], outputs: [{ name: "a" }, { name: "b" }] })).toEqual({
      id: "42",
      inputs: [{ ...X, shape: [1, 2], data: Float32Array.of(1, 2) }],
      outputs: [
        { name: "a", parameters: undefined },
        { name: "b", parameters: undefined },
      ],
      parameters: undefined,
    });
  });

  test("readInferRequest() leaves id and outputs undefined when they are absent or null", () => {
    const nothing = { id: undefined, outputs: undefined, parameters: undefined };
    expect(read({ inputs: [GOOD_X] })).toMatchObject(nothing);
    const nulls = { id: null, outputs: null, parameters: null };
    expect(read({ ...nulls, inputs: [{ ...GOOD_X, parameters: null }] })).toMatchObject(nothing);
  });

  test("readInferRequest() leaves the id undefined when it is not a string", () => {
    expect(read({ id: 42, inputs: [GOOD_X] }).id).toBeUndefined();
  });

  test("readInferRequest() ignores members it does not know, at every level", () => {
    const inputs = [{ ...GOOD_X, extra: { deep: [1] } }];
    const outputs = [{ name: "a", extra: 1 }];
    expect(read({ model_name: "m", inputs, outputs, extra: [null] }).outputs).toEqual([
      { name: "a", parameters: undefined },
    ]);
  });

  test("readInferRequest() is not misled when members are named like those of every object", () => {
    const text =
      '{"__proto__":{"inputs":[]},"constructor":1,"inputs":[{"__proto__":{"name":"y"},"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2],"parameters":{"__proto__":8,"binary_data_size":null}}],"parameters":{"constructor":1,"toString":true}}';
    expect(read(text).inputs).toHaveLength(1);
  });

  test.each([
    ["flat", [1, 2, 3, 4]],
    [
      "nested as the shape",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      "nested in another way",
      [
        [[1], [2]],
        [[3], [4]],
      ],
    ],
  ])("readInferRequest() takes data that is %s", (_name, data) => {
    const { inputs } = read({ inputs: [{ ...GOOD_X, shape: [2, 2], data }] });
    expect(inputs[0]).toEqual({ ...X, shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
  });

  test("readInferRequest() reads data that stands before its datatype", () => {
    const body =
      '{"inputs":[{"data":[9223372036854775807],"name":"y","shape":[1],"datatype":"INT64"}]}';
    expect(read(body, [Y]).inputs[0]?.data).toEqual(BigInt64Array.of(2n ** 63n - 1n));
  });

  test("readInferRequest() gives inputs in the model's order when the body has another", () => {
    const { inputs } = read({ inputs: [GOOD_Y, GOOD_X] }, [X, Y]);
    expect(inputs.map((tensor) => tensor.name)).toEqual(["x", "y"]);
  });

  test("readInferRequest() takes one element when the input has no axes", () => {
    const spec: TensorSpec = { name: "s", datatype: "FP32", shape: [] };
    const body = { inputs: [{ name: "s", shape: [], datatype: "FP32", data: [5] }] };
    expect(read(body, [spec]).inputs[0]?.data).toEqual(Float32Array.of(5));
  });

  test("readInferRequest() takes no elements when an extent other than the rows is zero", () => {
    const spec: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, -1] };
    const body = { inputs: [{ ...GOOD_X, shape: [1, 0], data: [] }] };
    expect(read(body, [spec]).inputs[0]?.shape).toEqual([1, 0]);
  });

  test("readInferRequest() hands on the parameters of the request and of its outputs", () => {
    const parameters = { priority: 1, timeout: 2n ** 60n, content_type: "np", shared: true };
    const text = '{"priority":1,"timeout":1152921504606846976,"content_type":"np","shared":true}';
    const inputs = JSON.stringify([GOOD_X]);
    const outputs = `[{"name":"a","parameters":${text}}]`;
    const body = `{"parameters":${text},"inputs":${inputs},"outputs":${outputs}}`;
    expect(read(body)).toMatchObject({ parameters, outputs: [{ name: "a", parameters }] });
  });

  test("readInferRequest() takes a parameter that is null as absent", () => {
    const body = {
      inputs: [{ ...GOOD_X, parameters: { headers: null } }],
      parameters: { a: null },
    };
    expect(read(body).parameters).toEqual({});
  });

  test.each([
    ["content_type", "np"],
    ["binary_data_size", 0],
    ["shared_memory_region", ""],
    ["shared_memory_byte_size", 0],
  ])("readInferRequest() accepts the input parameter %s when it is %j", (key, value) => {
    const input = { ...GOOD_X, parameters: { [key]: value } };
    expect(read({ inputs: [input] }).inputs[0]?.data).toEqual(Float32Array.of(1, 2));
  });
});

describe("readInferRequest() refuses the body", () => {
  test.each([
    ["[]", ["body"], 'found array, expected an object with "inputs"'],
    ["{}", ["body", "inputs"], 'missing, expected a list with "x"'],
    [{ inputs: {} }, ["body", "inputs"], "found object, expected a list of inputs"],
    [{ inputs: null }, ["body", "inputs"], "found null, expected a list of inputs"],
    [
      { inputs: [1] },
      ["body", "inputs", 0],
      "found number, expected an object with name, shape, datatype and data",
    ],
    [
      { inputs: [{ ...GOOD_X, name: 1 }] },
      ["body", "inputs", 0, "name"],
      "found number, expected a string",
    ],
    [
      { inputs: [{ ...GOOD_X, shape: 1 }] },
      ["body", "inputs", 0, "shape"],
      "found number, expected a list of extents",
    ],
    [
      { inputs: [{ ...GOOD_X, datatype: 1 }] },
      ["body", "inputs", 0, "datatype"],
      "found number, expected a datatype",
    ],
    [
      { inputs: [{ ...GOOD_X, data: 1 }] },
      ["body", "inputs", 0, "data"],
      "found number, expected an array",
    ],
    [
      { inputs: [{ ...GOOD_X, data: "AAAA" }] },
      ["body", "inputs", 0, "data"],
      "found string, expected an array",
    ],
    [
      { inputs: [{ ...GOOD_X, parameters: [] }] },
      ["body", "inputs", 0, "parameters"],
      "expected an object",
      "parameter",
    ],
    [
      { inputs: [GOOD_X], parameters: 1 },
      ["body", "parameters"],
      "expected an object",
      "parameter",
    ],
    [
      { inputs: [GOOD_X], outputs: {} },
      ["body", "outputs"],
      "found object, expected a list of outputs",
    ],
    [
      { inputs: [GOOD_X], outputs: ["a"] },
      ["body", "outputs", 0],
      "found string, expected an object with the name of an output",
    ],
    [
      { inputs: [GOOD_X], outputs: [{}] },
      ["body", "outputs", 0, "name"],
      "expected the name of an output",
    ],
  ])("readInferRequest() refuses %j as INVALID_BODY", (body, location, message, type = "body") => {
    const error = errorOf(body);
    expect(error.code).toBe("INVALID_BODY");
    expect(error.problems).toEqual([{ location, message, type }]);
    expect(error.message).toBe(`Cannot read ${location.join(".")}: ${message}`);
  });

  test.each(["", "{", '{"inputs":[]}x', '{"inputs":[{"data":[1,]}]}', "\ufeff"])(
    "readInferRequest() refuses %j as INVALID_JSON",
    (text) => expect(errorOf(text).code).toBe("INVALID_JSON"),
  );

  test("readInferRequest() refuses more inputs than any model has", () => {
    const error = errorOf(`{"inputs":[${"{},".repeat(1000)}{}]}`);
    expect(error.message).toBe("Cannot read body.inputs: found more than 1000 inputs");
  });

  test.each([
    ['{"inputs":', "INVALID_BODY"], // the list holds a list, not an object
    ['{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":', "INVALID_TENSOR"],
    ['{"inputs":[{"name":"x","shape":[1,2],"data":', "INVALID_JSON"],
    ['{"inputs":[{"shape":', "INVALID_JSON"],
    ['{"inputs":[{"parameters":{"a":', "INVALID_JSON"],
    ['{"outputs":', "INVALID_BODY"],
    ['{"outputs":[{"name":', "INVALID_JSON"],
    ['{"extra":', "INVALID_JSON"],
  ])("readInferRequest() refuses %j and 250,000 brackets without a crash", (start, code) => {
    expect(errorOf(start + "[".repeat(250_000)).code).toBe(code);
  });
});

type RefusedInputs = [
  inputs: readonly unknown[],
  code: string,
  location: (string | number)[],
  message: string,
  type: string,
];

describe("readInferRequest() refuses inputs", () => {
  test.each<RefusedInputs>([
    [[], "INVALID_BODY", ["body", "inputs"], 'the input "x" is missing', "missing"],
    [
      [GOOD_X, GOOD_X],
      "INVALID_TENSOR",
      ["body", "inputs", 1, "name"],
      'the input "x" stands twice',
      "duplicate",
    ],
    [
      [GOOD_X, { ...GOOD_X, name: "z" }],
      "INVALID_BODY",
      ["body", "inputs", 1, "name"],
      'unknown input "z", expected "x"',
      "unknown",
    ],
    [
      [GOOD_X, { shape: [1] }],
      "INVALID_BODY",
      ["body", "inputs", 1, "name"],
      'missing, expected one of "x"',
      "missing",
    ],
    [
      [{ ...GOOD_X, shape: undefined }],
      "INVALID_BODY",
      ["body", "inputs", 0, "shape"],
      "missing, expected [-1, 2]",
      "missing",
    ],
    [
      [{ ...GOOD_X, datatype: undefined }],
      "INVALID_BODY",
      ["body", "inputs", 0, "datatype"],
      "missing, expected FP32",
      "missing",
    ],
    [
      [{ ...GOOD_X, data: undefined }],
      "INVALID_BODY",
      ["body", "inputs", 0, "data"],
      "missing, expected an array",
      "missing",
    ],
    [
      [{ ...GOOD_X, datatype: "FP64" }],
      "INVALID_TENSOR",
      ["body", "inputs", 0, "datatype"],
      "found FP64, expected FP32",
      "datatype",
    ],
    [
      [{ ...GOOD_X, shape: [2] }],
      "INVALID_TENSOR",
      ["body", "inputs", 0, "shape"],
      "found [2], expected [-1, 2] (-1 takes any extent)",
      "shape",
    ],
    [
      [{ ...GOOD_X, shape: [0, 2], data: [] }],
      "INVALID_TENSOR",
      ["body", "inputs", 0, "shape"],
      "found no rows, expected at least one",
      "shape",
    ],
    [
      [{ ...GOOD_X, data: [1] }],
      "INVALID_TENSOR",
      ["body", "inputs", 0, "data"],
      "found 1 elements, shape asks for 2",
      "shape",
    ],
    [
      [{ ...GOOD_X, data: [1, 2, 3] }],
      "INVALID_TENSOR",
      ["body", "inputs", 0, "data"],
      "found 3 elements, shape asks for 2",
      "shape",
    ],
    [
      [{ ...GOOD_X, data: [1, null] }],
      "INVALID_TENSOR",
      ["body", "inputs", 0, "data", 1],
      "found null, expected a number (FP32)",
      "type",
    ],
  ])("readInferRequest() refuses inputs %j", (...row) => {
    const [inputs, code, location, message, type] = row;
    const error = errorOf({ inputs });
    expect(error.code).toBe(code);
    expect(error.problems).toEqual([{ location, message, type }]);
    expect(error.message).toBe(`Cannot read ${location.join(".")}: ${message}`);
  });

  test.each([
    ["overflows 2^64", "[4294967296,4294967296]"],
    ["is beyond 2^53 in one extent", "[9007199254740992]"],
    ["is beyond 2^64 in one extent", "[18446744073709551616]"],
    ["has a negative extent", "[-1,2]"],
    ["has a fraction", "[1.5,2]"],
    ["has text", '["1",2]'],
    ["has null", "[null,2]"],
    ["is nested", "[[1],2]"],
    ["is infinite", "[1e400]"],
  ])("readInferRequest() refuses a shape that %s", (_name, shape) => {
    const error = errorOf(
      `{"inputs":[{"name":"x","shape":${shape},"datatype":"FP32","data":[1,2]}]}`,
    );
    expect(error.code).toBe("INVALID_BODY");
    expect(error.problems).toEqual([
      {
        location: ["body", "inputs", 0, "shape"],
        message: "expected whole numbers of at least 0, whose product is at most 2^53 - 1",
        type: "shape",
      },
    ]);
  });

  test("readInferRequest() refuses a shape of 100,000 extents in a short message", () => {
    const shape = Array<number>(100_000).fill(1);
    const error = errorOf({ inputs: [{ ...GOOD_X, shape }] });
    expect(error.message).toBe(
      "Cannot read body.inputs.0.shape: found 100000 extents, at most 32 are taken",
    );
  });

  test("readInferRequest() lists the datatypes when it does not know one", () => {
    const error = errorOf({ inputs: [{ ...GOOD_X, datatype: "toString" }] });
    expect(error.message).toBe(
      'Cannot read body.inputs.0.datatype: found "toString", expected one of BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, BF16, FP32, FP64, BYTES',
    );
  });

  test("readInferRequest() refuses FP16 as JSON when the model takes FP16", () => {
    const spec: TensorSpec = { ...X, datatype: "FP16" };
    const error = errorOf({ inputs: [{ ...GOOD_X, datatype: "FP16" }] }, [spec]);
    expect(error.code).toBe("INVALID_TENSOR");
    expect(error.problems[0]?.message).toBe(
      "found 1, expected binary data: this type has no JSON form (FP16)",
    );
  });

  test("readInferRequest() says where a wrong element is when data stands before its datatype", () => {
    const body = '{"inputs":[{"data":[[1,"a"]],"name":"x","shape":[1,2],"datatype":"FP32"}]}';
    expect(errorOf(body).problems).toEqual([
      {
        location: ["body", "inputs", 0, "data", 0, 1],
        message: 'found "a", expected a number (FP32)',
        type: "type",
      },
    ]);
  });

  test("readInferRequest() says which input has another number of rows", () => {
    const inputs = [GOOD_X, { ...GOOD_Y, shape: [3], data: [1, 2, 3] }];
    const error = errorOf({ inputs }, [X, Y]);
    expect(error.problems).toEqual([
      { location: ["body", "inputs"], message: '"y" has 3 rows, "x" has 1', type: "shape" },
    ]);
  });

  test("readInferRequest() lists every problem when two inputs are wrong", () => {
    const inputs = [
      { ...GOOD_X, data: [1] },
      { ...GOOD_Y, shape: [2, 2] },
    ];
    const error = errorOf({ inputs }, [X, Y]);
    expect(error.problems.map(({ location }) => location.join("."))).toEqual([
      "body.inputs.0.data",
      "body.inputs.1.shape",
    ]);
    expect(error.message).toContain("(and 1 more)");
  });
});

describe("readInferRequest() refuses parameters", () => {
  test("readInferRequest() answers NOT_IMPLEMENTED when an input is in shared memory", () => {
    const input = { name: "x", shape: [1, 2], datatype: "FP32" };
    const error = errorOf({ inputs: [{ ...input, parameters: { shared_memory_region: "r" } }] });
    const location = ["body", "inputs", 0, "parameters", "shared_memory_region"];
    const message = "this version does not serve shared memory";
    expect(error.code).toBe("NOT_IMPLEMENTED");
    expect(error.problems).toEqual([{ location, message, type: "parameter" }]);
  });

  test.each([
    [{ inputs: [GOOD_X], parameters: [] }, "body.parameters", "expected an object"],
    [{ inputs: [GOOD_X], parameters: { a: [] } }, "body.parameters.a", "expected a string"],
    [
      { inputs: [{ ...GOOD_X, parameters: { binary_data_size: -1 } }] },
      "body.inputs.0.parameters.binary_data_size",
      'found "-1", expected a whole number',
    ],
    [
      { inputs: [{ ...GOOD_X, parameters: { binary_data_size: "8" } }] },
      "body.inputs.0.parameters.binary_data_size",
      'found "8", expected a whole number',
    ],
    [
      { inputs: [GOOD_X], outputs: [{ name: "a", parameters: { b: {} } }] },
      "body.outputs.0.parameters.b",
      "expected a string",
    ],
  ])("readInferRequest() refuses %j", (body, place, message) => {
    const error = errorOf(body);
    expect(error.code).toBe("INVALID_BODY");
    expect(error.problems[0]?.location.join(".")).toBe(place);
    expect(error.message).toContain(message);
  });
});
