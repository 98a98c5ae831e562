import { describe, expect, test } from "vitest";
import { readScoring } from "./read-scoring.ts";
import type { Tensor, TensorSpec } from "./tensor.ts";

const MATRIX: TensorSpec = { name: "input", datatype: "FP32", shape: [-1, 2] };
const A: TensorSpec = { name: "a", datatype: "FP32", shape: [-1, 1] };
const B: TensorSpec = { name: "b", datatype: "INT64", shape: [-1] };
const WIDE: TensorSpec = { name: "w", datatype: "FP32", shape: [-1, 3] };

function read(text: string, specs: readonly TensorSpec[]): Tensor[] {
  return readScoring(
    new TextEncoder().encode(text),
    specs,
    ["dataframe_split", "dataframe_records", "instances", "inputs"],
    () => undefined,
  );
}

describe("readScoring() reads", () => {
  test.each([
    '{"instances":[[1,2],[3,4]]}',
    '{"inputs":[[1,2],[3,4]],"params":{"x":[1]}}',
    '{"signature_name":"s","inputs":{"input":[[1,2],[3,4]]}}',
    '{"instances": {"input":[[1,2],[3,4]]} }',
    '{"dataframe_split":{"index":[0,1],"columns":["p","q"],"data":[[1,2],[3,4]]}}',
    '{"dataframe_split":{"columns":[0,1],"data":[[1,2],[3,4]]}}',
    '{"dataframe_records":[{"p":1,"q":2},{"q":4,"p":3}]}',
    '{"instances":[{"p":1,"q":2},{"p":3,"q":4}]}',
    '{"instances":[{"input":[1,2]},{"input":[3,4]}]}',
  ])("readScoring() reads %s for a matrix", (text) => {
    expect(read(text, [MATRIX])).toEqual([
      { ...MATRIX, shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
    ]);
  });

  test.each([
    '{"inputs":{"a":[[1],[2]],"b":[3,4]}}',
    '{"instances":[{"a":1,"b":3},{"a":[2],"b":4}]}',
    '{"dataframe_records":[{"a":1,"b":3},{"a":2,"b":4}]}',
  ])("readScoring() reads %s for two columns", (text) => {
    expect(read(text, [A, B])).toEqual([
      { ...A, shape: [2, 1], data: Float32Array.of(1, 2) },
      { ...B, shape: [2], data: BigInt64Array.of(3n, 4n) },
    ]);
  });

  test("readScoring() takes a null in a data frame as a missing value", () => {
    const [tensor] = read('{"dataframe_records":[{"p":null,"q":2}]}', [MATRIX]);
    expect(tensor?.data).toEqual(Float32Array.of(NaN, 2));
  });
});

describe("readScoring() refuses", () => {
  const forms = '"dataframe_split", "dataframe_records", "instances", "inputs"';
  test.each([
    ["", `Cannot read body: expected an object with ${forms}`],
    ["[[1,2]]", `Cannot read body: expected an object with ${forms}`],
    ["{}", `Cannot read body: expected one of ${forms}`],
    [
      '{"instances":[[1,2]],"inputs":[[1,2]]}',
      'Cannot read body.inputs: found it beside "instances"',
    ],
    [
      '{"instances":[[1,2]],"instances":[[1,2]]}',
      'Cannot read body.instances: found it beside "instances"',
    ],
    [
      '{"instances":5}',
      "Cannot read body.instances: found a number, expected nested arrays of shape [any, 2] (FP32)",
    ],
    [
      '{"instances":[[1,"x"]]}',
      'Cannot read body.instances.0.1: found "x", expected a number (FP32)',
    ],
    ['{"inputs":[[1,null]]}', "Cannot read body.inputs.0.1: found null, expected a number (FP32)"],
    [
      '{"dataframe_split":[]}',
      'Cannot read body.dataframe_split: expected {"columns": [names], "data": [rows]}',
    ],
    [
      '{"dataframe_split":{"columns":[{},{}],"data":[[1,2]]}}',
      "Cannot read body.dataframe_split.columns.0: expected the name of a column",
    ],
    [
      '{"dataframe_split":{"columns":[[{}],1],"data":[[1,2]]}}',
      "Cannot read body.dataframe_split.columns.0: expected the name of a column",
    ],
    [
      '{"dataframe_split":{"columns":["p","q"],"data":[1]}}',
      "Cannot read body.dataframe_split.data.0: expected a list of values",
    ],
    [
      '{"dataframe_split":{"columns":["p","q"],"data":[[1,2],[3]]}}',
      "Cannot read body.dataframe_split.data.1.1: found 1 values, expected 2, one a column",
    ],
    [
      '{"dataframe_split":{"columns":["p","q"],"data":[[1,{}]]}}',
      "Cannot read body.dataframe_split.data.0.1: found an object, expected FP32",
    ],
    [
      '{"dataframe_records":{}}',
      "Cannot read body.dataframe_records: expected a list of {name: value}",
    ],
    ['{"dataframe_records":[]}', "Cannot read body: found no rows, expected at least one"],
    ['{"dataframe_records":[1]}', "Cannot read body.dataframe_records.0: expected {name: value}"],
    [
      '{"dataframe_records":[{"p":1,"q":2},{"p":1}]}',
      "Cannot read body.dataframe_records.1: found 1 members, expected 2",
    ],
    [
      '{"dataframe_records":[{"p":1,"q":2},{"p":1,"r":2}]}',
      "Cannot read body.dataframe_records.1.q: missing",
    ],
    [
      '{"dataframe_records":[{"p":1,"q":"x"}]}',
      'Cannot read body.dataframe_records.0.q: found "x", expected FP32',
    ],
    ['{"instances":[{"input":[1,2]},{}]}', "Cannot read body.instances.1.input: missing"],
  ])("readScoring() refuses %s", (text, message) => {
    expect(() => read(text, [MATRIX])).toThrow(message);
  });

  test("readScoring() refuses a bare list when the model has several inputs", () => {
    expect(() => read('{"instances":[[1,2]]}', [A, B])).toThrow(
      "Cannot read body.instances: the model has 2 inputs, expected a list of {name: value}",
    );
  });

  test("readScoring() refuses a record without an input when a missing value would fill it", () => {
    expect(() => read('{"instances":[{"a":1,"b":2},{"b":3}]}', [A, B])).toThrow(
      "Cannot read body.instances.1.a: missing",
    );
  });

  test("readScoring() refuses rows of another width when the record names the input", () => {
    expect(() => read('{"instances":[{"w":[1,2]}]}', [WIDE])).toThrow("found shape [1, 2]");
  });

  test.each(['{"instances":', '{"inputs":{"input":', '{"dataframe_records":', '{"x":'])(
    "readScoring() refuses %s and 250,000 brackets without a crash",
    (start) => {
      expect(() => read(start + "[".repeat(250_000), [MATRIX])).toThrow("deeper than");
    },
  );
});
