import { expect, test } from "vitest";
import { readModelMetadata } from "./read-model-metadata.ts";

function read(value: unknown): ReturnType<typeof readModelMetadata> {
  return readModelMetadata(Buffer.from(JSON.stringify(value)));
}

const X = { name: "x", datatype: "FP32", shape: [-1, 4] };
const Y = { name: "y", datatype: "BYTES", shape: [] };

test("readModelMetadata() gives tensors and platform, and ignores what it does not know", () => {
  const tensor = { ...X, parameters: { a: 1 } };
  const body = { name: "m", versions: ["1"], platform: "p", inputs: [tensor], outputs: [Y], z: {} };
  expect(read(body)).toEqual({ platform: "p", inputs: [X], outputs: [Y] });
  expect(read({ inputs: [], outputs: [Y] })).toEqual({
    platform: undefined,
    inputs: [],
    outputs: [Y],
  });
});

test.each([
  [[], "body: expected an object"],
  [{ outputs: [Y] }, "body.inputs: expected a list of tensors"],
  [{ inputs: [X], outputs: [] }, "body.outputs: found none"],
  [{ inputs: [X, X], outputs: [Y] }, 'body.inputs.1.name: "x" stands twice'],
  [{ inputs: [1], outputs: [Y] }, "body.inputs.0: expected an object"],
  [{ inputs: [{ ...X, name: "" }], outputs: [Y] }, "body.inputs.0.name: expected a text"],
  [{ inputs: [X], outputs: [{ ...Y, datatype: "FP31" }] }, 'body.outputs.0.datatype: found "FP31"'],
  [{ inputs: [X], outputs: [{ ...Y, datatype: 1 }] }, "body.outputs.0.datatype: expected"],
  [{ inputs: [{ ...X, shape: [-2] }], outputs: [Y] }, "body.inputs.0.shape: expected"],
  [{ inputs: [{ ...X, shape: [1.5] }], outputs: [Y] }, "body.inputs.0.shape: expected"],
  [{ inputs: [{ ...X, shape: "4" }], outputs: [Y] }, "body.inputs.0.shape: expected"],
  [{ inputs: [{ ...X, shape: new Array(33).fill(1) }], outputs: [Y] }, "at most 32"],
  [{ inputs: new Array(1001).fill(X), outputs: [Y] }, "found 1001 tensors, at most 1000"],
])("readModelMetadata() of %j says what is wrong", (value, message) => {
  expect(() => read(value)).toThrow(message);
});

test("readModelMetadata() refuses what is not JSON, and more behind it", () => {
  expect(() => readModelMetadata(Buffer.from("<html>"))).toThrow("Cannot parse JSON");
  expect(() => readModelMetadata(Buffer.from('{"inputs":[]} {}'))).toThrow("Cannot parse JSON");
});
