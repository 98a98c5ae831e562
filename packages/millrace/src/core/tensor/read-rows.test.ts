import { describe, expect, test } from "vitest";
import { MillraceError, PROBLEMS_MAX } from "../errors.ts";
import { readRows, readRowsAt } from "./read-rows.ts";
import type { TensorSpec } from "./tensor.ts";

const X: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 2] };
const Y: TensorSpec = { name: "y", datatype: "INT64", shape: [-1] };
const SCALAR: TensorSpec = { name: "s", datatype: "FP32", shape: [] };

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function errorOf(text: string, specs: readonly TensorSpec[]): MillraceError {
  try {
    readRows(bytes(text), specs);
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("readRows() forms", () => {
  const expected = [
    { name: "x", datatype: "FP32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
  ];
  test.each(['{"data":[[1,2],[3,4]]}', "[[1,2],[3,4]]", '{"inputs":{"x":[[1,2],[3,4]]}}'])(
    "readRows() reads %s when the model has one input",
    (text) => expect(readRows(bytes(text), [X])).toEqual(expected),
  );

  test("readRows() gives tensors in the model's order when the body has another", () => {
    const tensors = readRows(bytes('{"inputs":{"y":[7],"x":[[1,2]]}}'), [X, Y]);
    expect(tensors.map((tensor) => tensor.name)).toEqual(["x", "y"]);
    expect(tensors[1]?.data).toEqual(BigInt64Array.of(7n));
  });

  test("readRows() takes a bare value when the input has no axes", () => {
    expect(readRows(bytes('{"inputs":{"s":0.5}}'), [SCALAR])[0]?.data).toEqual(
      Float32Array.of(0.5),
    );
  });

  test("readRows() keeps inputs named like members of every object apart", () => {
    const spec = { ...Y, name: "__proto__" };
    const [tensor] = readRows(bytes('{"inputs":{"__proto__":[1]}}'), [spec]);
    expect(tensor?.name).toBe("__proto__");
  });
});

const NESTED = "nested arrays of shape [any, 2] (FP32)";

describe("readRows() refuses", () => {
  test.each([
    ["", "body", 'the body is empty, expected {"data": rows} or the bare array of rows'],
    ["5", "body", 'found "5", expected {"data": rows} or the bare array of rows'],
    ["{}", "body", 'the object is empty, expected {"data": rows} or the bare array of rows'],
    [
      '{"data":[[1,2]],"inputs":{}}',
      "body.inputs",
      'found "inputs" after "data", expected one of them',
    ],
    [
      '{"data":[[1,2]],"data":[[1,2]]}',
      "body.data",
      'found "data" after "data", expected one of them',
    ],
    ['{"inputs":[[1,2]]}', "body.inputs", "found no object, expected input names and their rows"],
    ['{"inputs":{"x":[[1,2]],"x":[[1,2]]}}', "body.inputs.x", 'the input "x" stands twice'],
    ['{"inputs":{"x":1,"x":[[1,2]]}}', "body.inputs.x", 'the input "x" stands twice'],
  ])("readRows() refuses %j as INVALID_BODY", (text, where, message) => {
    const error = errorOf(text, [X]);
    expect(error.code).toBe("INVALID_BODY");
    expect(error.message).toBe(`Cannot read ${where}: ${message}`);
    expect(error.problems).toEqual([{ location: where.split("."), message, type: "body" }]);
  });

  test.each([
    ['{"data":5}', ["body", "data"], `found a number, expected ${NESTED}`, "type"],
    ['{"data":null}', ["body", "data"], `found null, expected ${NESTED}`, "type"],
    ["[]", ["body"], `found no rows, expected ${NESTED}`, "shape"],
    [
      "[1,2]",
      ["body"],
      `found one row, expected ${NESTED}: put it in one more pair of brackets`,
      "shape",
    ],
    ["[[[1,2]]]", ["body"], `found 3 levels of brackets, expected ${NESTED}`, "shape"],
    ['{"data":[[1,2,3]]}', ["body", "data", 0], "found 3 values, expected 2", "shape"],
    ["[[]]", ["body", 0], "found 0 values, expected 2", "shape"],
    ['{"data":[[1,"a"]]}', ["body", "data", 0, 1], 'found "a", expected a number (FP32)', "type"],
    [
      '{"inputs":{"x":[[1,2],[3,1e39]]}}',
      ["body", "inputs", "x", 1, 1],
      "found 1e39, expected a finite FP32 number",
      "range",
    ],
  ])("readRows() refuses %j as INVALID_TENSOR", (text, location, message, type) => {
    const error = errorOf(text, [X]);
    expect(error.code).toBe("INVALID_TENSOR");
    expect(error.problems).toEqual([{ location, message, type }]);
    expect(error.message).toBe(`Cannot read ${location.join(".")}: ${message}`);
  });

  test("readRows() lists the unknown member and the missing rows when the member is misspelt", () => {
    const error = errorOf('{"dta":[[1,2]]}', [X]);
    expect(error.code).toBe("INVALID_BODY");
    expect(error.message).toBe(
      'Cannot read body.dta: unknown member, expected "data" or "inputs" (and 1 more)',
    );
    expect(error.problems.map(({ location, type }) => [location.join("."), type])).toEqual([
      ["body.dta", "unknown"],
      ["body.data", "missing"],
    ]);
  });

  test("readRows() refuses members beside the rows when it does not know them", () => {
    expect(errorOf('{"data":[[1,2]],"thresholds":{}}', [X]).message).toBe(
      'Cannot read body.thresholds: unknown member, expected "data" or "inputs"',
    );
  });

  test.each([
    [
      '{"data":[[1,2]]}',
      "body.data",
      '"data" serves models with one input, this one has 2; expected {"inputs": {"x": rows, "y": rows}}',
    ],
    [
      "[[1,2]]",
      "body",
      '"data" serves models with one input, this one has 2; expected {"inputs": {"x": rows, "y": rows}}',
    ],
  ])("readRows() refuses %s when the model has two inputs", (text, where, message) => {
    expect(errorOf(text, [X, Y]).message).toBe(`Cannot read ${where}: ${message}`);
  });

  test("readRows() lists unknown and missing inputs when names are wrong", () => {
    const error = errorOf('{"inputs":{"x":[[1,2]],"toString":[1]}}', [X, Y]);
    expect(error.code).toBe("INVALID_BODY");
    expect(error.problems).toEqual([
      {
        location: ["body", "inputs", "toString"],
        message: 'unknown input, expected "x", "y"',
        type: "unknown",
      },
      {
        location: ["body", "inputs", "y"],
        message: "missing, expected nested arrays of shape [any] (INT64)",
        type: "missing",
      },
    ]);
  });

  test("readRows() says which input has another number of rows", () => {
    const error = errorOf('{"inputs":{"x":[[1,2]],"y":[1,2,3]}}', [X, Y]);
    expect(error.problems).toEqual([
      {
        location: ["body", "inputs", "y"],
        message: 'found 3 rows, expected 1 as in "x"',
        type: "shape",
      },
    ]);
  });

  test("readRows() says nothing about row counts when an input is wrong in itself", () => {
    const error = errorOf('{"inputs":{"x":[[1,2,3]],"y":[1,2,3]}}', [X, Y]);
    expect(error.problems.map((problem) => problem.location)).toEqual([["body", "inputs", "x", 0]]);
  });

  test("readRows() lists at most PROBLEMS_MAX problems when everything is wrong", () => {
    const members = Array.from({ length: 50 }, (_, i) => `"u${i}":1`).join(",");
    expect(errorOf(`{"inputs":{${members}}}`, [X, Y]).problems).toHaveLength(PROBLEMS_MAX);
  });

  test.each(["[[1,2]", "[[1,2]]x", " ", '{"data":[[1,2]]', '{"x":[1,2}'])(
    "readRows() refuses %j as INVALID_JSON",
    (text) => expect(errorOf(text, [X]).code).toBe("INVALID_JSON"),
  );

  test.each(["[", '{"data":[', '{"other":[', '{"inputs":{"x":[', '{"inputs":{"z":['])(
    "readRows() refuses a body of %j and 250,000 brackets without a crash",
    (start) => {
      const error = errorOf(start + "[".repeat(250_000), [X]);
      expect(["INVALID_JSON", "INVALID_TENSOR"]).toContain(error.code);
      expect(error.message).toContain("deeper than");
    },
  );
});

test("readRowsAt() locates problems where the value stands in the request", () => {
  const read = (text: string, specs: readonly TensorSpec[]): unknown =>
    readRowsAt(bytes(text), specs, ["body", "instances"]);
  expect(() => read('[[1,"a"]]', [X])).toThrow("Cannot read body.instances.0.1: ");
  expect(() => read('{"x":[[1,"a"]]}', [X])).toThrow("Cannot read body.instances.x.0.1: ");
  expect(() => read('{"x":[[1,2]]}', [X, Y])).toThrow("Cannot read body.instances.y: missing");
});

describe("readRows() takes an input by its own name", () => {
  const TEXT: TensorSpec = { name: "id", datatype: "BYTES", shape: [-1] };
  const ONE: TensorSpec = { name: "id", datatype: "BYTES", shape: [-1, 1] };

  test.each([
    ['{"id":"0000"}', TEXT, [1], ["0000"]],
    ['{"id":["a","b"]}', TEXT, [2], ["a", "b"]],
    ['{ "id" : "a\\nb" }', TEXT, [1], ["a\nb"]],
    ['{"id":""}', TEXT, [1], [""]],
    ['{"id":"0000"}', ONE, [1, 1], ["0000"]],
    ['{"id":[["a"],["b"]]}', ONE, [2, 1], ["a", "b"]],
    ['{"y":7}', Y, [1], BigInt64Array.of(7n)],
    ['{"y":[7,8]}', Y, [2], BigInt64Array.of(7n, 8n)],
    ['{"x":[[1,2]]}', X, [1, 2], Float32Array.of(1, 2)],
  ] as const)("readRows() reads %s", (text, spec, shape, data) => {
    expect(readRows(bytes(text), [spec])).toEqual([
      { name: spec.name, datatype: spec.datatype, shape, data },
    ]);
  });

  test("readRows() takes data and inputs as forms when an input has that name", () => {
    const data = { ...TEXT, name: "data" };
    expect(readRows(bytes('{"data":["a"]}'), [data])[0]?.data).toEqual(["a"]);
    expect(errorOf('{"data":"a"}', [data]).code).toBe("INVALID_TENSOR");
    const inputs = { ...TEXT, name: "inputs" };
    expect(readRows(bytes('{"inputs":{"inputs":["a"]}}'), [inputs])[0]?.data).toEqual(["a"]);
  });

  test.each([
    ['{"id":7}', ["body", "id"], "found 7, expected a string (BYTES)", "type"],
    ['{"id":null}', ["body", "id"], "found null, expected a string (BYTES)", "type"],
    ['{"id":{"a":1}}', ["body", "id"], 'found {"a":1}, expected a string (BYTES)', "type"],
    ['{"id":["a",7]}', ["body", "id", 1], "found 7, expected a string (BYTES)", "type"],
    [
      '{"id":[]}',
      ["body", "id"],
      "found no rows, expected nested arrays of shape [any] (BYTES)",
      "shape",
    ],
    [
      '{"id":[["a"]]}',
      ["body", "id"],
      "found 2 levels of brackets, expected nested arrays of shape [any] (BYTES)",
      "shape",
    ],
  ])("readRows() refuses %s as INVALID_TENSOR", (text, location, message, type) => {
    const error = errorOf(text, [TEXT]);
    expect(error.code).toBe("INVALID_TENSOR");
    expect(error.problems).toEqual([{ location, message, type }]);
  });

  test.each([
    ['{"id":"a","id":"b"}', 'found "id" after "id", expected one of them'],
    ['{"id":"a","data":["b"]}', 'found "data" after "id", expected one of them'],
    ['{"inputs":{"id":["b"]},"id":"a"}', 'found "id" after "inputs", expected one of them'],
    ["{}", 'the object is empty, expected {"id": text or a list of texts}'],
    ["", 'the body is empty, expected {"id": text or a list of texts}'],
    ['{"ID":"a"}', 'unknown member, expected "id", "data" or "inputs" (and 1 more)'],
  ])("readRows() refuses %j as INVALID_BODY", (text, message) => {
    const error = errorOf(text, [TEXT]);
    expect(error.code).toBe("INVALID_BODY");
    expect(error.message).toContain(message);
  });

  test("readRows() names the inputs that one by name leaves out", () => {
    const error = errorOf('{"y":7}', [X, Y]);
    expect(error.problems.map(({ location, type }) => [location.join("."), type])).toEqual([
      ["body.inputs.x", "missing"],
    ]);
    expect(errorOf('{"y":7,"x":[[1,2]]}', [X, Y]).message).toContain('found "x" after "y"');
  });

  test("readRows() takes no value for a row of several", () => {
    expect(errorOf('{"x":1}', [X]).problems[0]?.message).toBe(`found a number, expected ${NESTED}`);
    const fixed: TensorSpec = { ...TEXT, shape: [1] };
    expect(errorOf('{"id":"a"}', [fixed]).code).toBe("INVALID_TENSOR");
  });
});
