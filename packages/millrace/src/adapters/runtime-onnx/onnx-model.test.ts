import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readLabels, readOnnxModel } from "./onnx-model.ts";
import { concatBytes, encodeBytesField, encodeIntegerField, ProtobufError } from "./protobuf.ts";

const MODELS = new URL("../../../../../test/fixtures/models/", import.meta.url);

function readFixture(name: string): Uint8Array {
  return readFileSync(new URL(name, MODELS));
}

test("readOnnxModel() reads versions, nodes and values when the file is sound", () => {
  const model = readOnnxModel(readFixture("add.onnx"));
  expect(model).toMatchObject({
    irVersion: 10,
    producer: "millrace-fixtures",
    opsets: [
      { domain: "ai.onnx", version: 21 },
      { domain: "ai.onnx.ml", version: 3 },
    ],
  });
  expect(model.graph.nodes.map(({ opType, domain }) => `${domain}.${opType}`)).toEqual([
    "ai.onnx.Add",
    "ai.onnx.Sub",
  ]);
  expect(model.graph.nodes[0]).toMatchObject({
    inputs: ["INPUT0", "INPUT1"],
    outputs: ["OUTPUT0"],
  });
  const type = { kind: "tensor", elementType: 1, hasShape: true };
  expect(model.graph.inputs).toEqual([
    { name: "INPUT0", type },
    { name: "INPUT1", type },
  ]);
});

test("readOnnxModel() leaves initializers out when old files list them as inputs", () => {
  const { inputs } = readOnnxModel(readFixture("initializer-input.onnx")).graph;
  expect(inputs.map(({ name }) => name)).toEqual(["INPUT"]);
});

test("readOnnxModel() tells kinds apart when values are no tensors", () => {
  const sequence = readOnnxModel(readFixture("sequence-input.onnx")).graph;
  expect(sequence.inputs[0]?.type).toEqual({ kind: "sequence" });
  const noShape = readOnnxModel(readFixture("no-shape.onnx")).graph;
  expect(noShape.inputs[0]?.type).toEqual({ kind: "tensor", elementType: 1, hasShape: false });
});

test("readOnnxModel() throws ProtobufError when there is no graph or a second one", () => {
  const graph = encodeBytesField(7, new Uint8Array(0));
  expect(() => readOnnxModel(encodeIntegerField(1, 8))).toThrow("it holds no graph");
  expect(() => readOnnxModel(concatBytes([graph, graph]))).toThrow("it holds two graphs");
});

test("readOnnxModel() throws nothing but ProtobufError when any byte is damaged", () => {
  const bytes = readFixture("classifier-string-labels.onnx");
  const kinds = new Set<string>();
  for (let at = 0; at < bytes.length; at++) {
    for (const damage of [0x00, 0x7f, 0xff]) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = damage;
      kinds.add(resultOf(() => readOnnxModel(damaged).graph.nodes.map(readLabels)));
    }
  }
  expect([...kinds].toSorted()).toEqual(["ProtobufError", "read"]);
});

function resultOf(read: () => unknown): string {
  try {
    read();
    return "read";
  } catch (error) {
    return error instanceof ProtobufError ? "ProtobufError" : String(error);
  }
}

test.each([
  ["classifier-int-labels.onnx", ["0", "1", "2"]],
  ["classifier-string-labels.onnx", ["setosa", "versicolor", "virginica"]],
])("readLabels() gives the labels as text when it reads the ZipMap of %s", (file, labels) => {
  const { nodes } = readOnnxModel(readFixture(file)).graph;
  expect(readLabels(nodes.find(({ opType }) => opType === "ZipMap")!)).toEqual(labels);
});

test("readLabels() gives undefined when the node has none", () => {
  const { nodes } = readOnnxModel(readFixture("add.onnx")).graph;
  expect(readLabels(nodes[0]!)).toBeUndefined();
});
