import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Classes } from "./find-classes.ts";
import { prepareModel } from "./prepare-model.ts";

const MODELS = new URL("../../../../../test/fixtures/models/", import.meta.url);
const SPECIES = ["setosa", "versicolor", "virginica"];

function classesOf(name: string): Classes {
  return prepareModel(readFileSync(new URL(name, MODELS))).classes;
}

test("findClasses() uses output and labels of the ZipMap when there was one", () => {
  expect(classesOf("classifier-network.onnx")).toEqual({
    probabilitiesOutput: "out_activations_result",
    labels: SPECIES,
  });
});

test("findClasses() follows the classifier through Normalizer when there is no ZipMap", () => {
  expect(classesOf("classifier-no-zip-map.onnx")).toEqual({
    probabilitiesOutput: "probabilities",
    labels: SPECIES,
  });
});

test("findClasses() follows Softmax through Identity when a network ends in it", () => {
  expect(classesOf("softmax.onnx")).toEqual({ probabilitiesOutput: "OUTPUT", labels: undefined });
});

test.each(["zip-map-twice.onnx", "add.onnx", "one-class-svm.onnx"])(
  "findClasses() finds nothing when %s has no single answer",
  (name) => {
    expect(classesOf(name)).toEqual({ probabilitiesOutput: undefined, labels: undefined });
  },
);
