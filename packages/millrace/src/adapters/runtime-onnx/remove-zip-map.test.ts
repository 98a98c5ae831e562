import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readOnnxModel } from "./onnx-model.ts";
import type { ZipMapRemoval } from "./remove-zip-map.ts";
import { removeZipMaps } from "./remove-zip-map.ts";

const MODELS = new URL("../../../../../test/fixtures/models/", import.meta.url);

function readFixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, MODELS)));
}

function rewrite(name: string): ZipMapRemoval {
  const bytes = readFixture(name);
  return removeZipMaps(bytes, readOnnxModel(bytes));
}

function outputNames({ bytes }: ZipMapRemoval): string[] {
  return readOnnxModel(bytes).graph.outputs.map(({ name }) => name);
}

test("removeZipMaps() puts the ZipMap's input in its place when it made an output", () => {
  const result = rewrite("classifier-string-labels.onnx");
  expect(result.removed).toEqual([
    {
      oldOutput: "output_probability",
      newOutput: "probabilities",
      labels: ["setosa", "versicolor", "virginica"],
    },
  ]);
  expect(outputNames(result)).toEqual(["output_label", "probabilities"]);
  const { nodes, outputs } = readOnnxModel(result.bytes).graph;
  expect(nodes.map(({ opType }) => opType)).not.toContain("ZipMap");
  expect(outputs[1]?.type).toEqual({ kind: "tensor", elementType: 1, hasShape: false });
});

test("removeZipMaps() keeps all else byte for byte when it rewrites", () => {
  const before = readOnnxModel(readFixture("classifier-int-labels.onnx"));
  const after = readOnnxModel(rewrite("classifier-int-labels.onnx").bytes);
  expect(after.graph.nodes).toEqual(before.graph.nodes.filter(({ opType }) => opType !== "ZipMap"));
  expect(after.graph.inputs).toEqual(before.graph.inputs);
  expect({ ...after, graph: undefined }).toEqual({ ...before, graph: undefined });
});

test("removeZipMaps() lists an output once when the ZipMap's input was an output already", () => {
  const result = rewrite("zip-map-of-output.onnx");
  expect(outputNames(result)).toEqual(["scores"]);
  expect(result.removed.map(({ oldOutput }) => oldOutput)).toEqual(["named_scores"]);
});

test("removeZipMaps() lists an output once when two ZipMaps share it", () => {
  const result = rewrite("zip-map-twice.onnx");
  expect(outputNames(result)).toEqual(["first", "second"]);
  expect(result.removed).toHaveLength(3);
});

test("removeZipMaps() takes the inner name when `probabilities` was the ZipMap's output", () => {
  const result = rewrite("classifier-lightgbm-names.onnx");
  expect(outputNames(result)).toEqual(["output_label", "probability_tensor"]);
});

test("removeZipMaps() returns the same bytes when there is no ZipMap", () => {
  const bytes = readFixture("add.onnx");
  const result = removeZipMaps(bytes, readOnnxModel(bytes));
  expect(result.bytes).toBe(bytes);
  expect(result.removed).toEqual([]);
});
