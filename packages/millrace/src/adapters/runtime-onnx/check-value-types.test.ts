import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkValueTypes } from "./check-value-types.ts";
import { readOnnxModel } from "./onnx-model.ts";

const MODELS = new URL("../../../../../test/fixtures/models/", import.meta.url);

function check(name: string): void {
  checkValueTypes(readOnnxModel(readFileSync(new URL(name, MODELS))).graph);
}

test("checkValueTypes() accepts the model when all values are tensors of known types", () => {
  expect(() => check("add.onnx")).not.toThrow();
  expect(() => check("scalar.onnx")).not.toThrow();
});

test.each([
  [
    "sequence-output.onnx",
    'its output "OUTPUT" is a sequence, only tensors can be returned; return',
  ],
  ["classifier-int-labels.onnx", 'skl2onnx options={"zipmap": False}'],
  ["sequence-input.onnx", 'its input "INPUT" is of type sequence, only tensors can be sent'],
  ["identity-bf16.onnx", 'its input "INPUT" has the element type BFLOAT16'],
  ["no-shape.onnx", 'its input "INPUT" has no shape'],
])("checkValueTypes() names value and way out when the model is %s", (name, message) => {
  expect(() => check(name)).toThrow(message);
});

test("checkValueTypes() refuses the model when it has no outputs", () => {
  expect(() => checkValueTypes({ nodes: [], inputs: [], outputs: [] })).toThrow("has no outputs");
});
