import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findExternalData } from "./find-external-data.ts";
import { encodeBytesField, ProtobufError } from "./protobuf.ts";

const MODELS = new URL("../../../../../test/fixtures/models/", import.meta.url);

test.each([
  ["add.onnx", []],
  ["external/inside.onnx", ["weights.bin"]],
  ["external/outside.onnx", ["../secret.bin"]],
  ["external/outside-in-subgraph.onnx", ["../secret.bin"]],
])("findExternalData() lists each location once when it walks through %s", (name, locations) => {
  expect(findExternalData(readFileSync(new URL(name, MODELS)))).toEqual(locations);
});

test("findExternalData() throws ProtobufError when subgraphs nest without end", () => {
  let graph: Uint8Array = new Uint8Array(0);
  // graph.node.attribute.graph: three levels each
  for (let level = 0; level < 40; level++) {
    graph = encodeBytesField(1, encodeBytesField(5, encodeBytesField(6, graph)));
  }
  expect(() => findExternalData(encodeBytesField(7, graph))).toThrow(ProtobufError);
});
