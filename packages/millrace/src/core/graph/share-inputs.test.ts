import { expect, test } from "vitest";
import type { TensorSpec } from "../tensor/tensor.ts";
import { shareInputs, type Taker } from "./share-inputs.ts";

const spec = (
  name: string,
  shape: number[],
  datatype: TensorSpec["datatype"] = "FP32",
): TensorSpec => ({
  name,
  datatype,
  shape,
});

const taker = (name: string, ...inputs: TensorSpec[]): Taker => ({
  title: `branch "${name}"`,
  path: ["parallel", name],
  inputs,
});

test("shareInputs() gives everybody what has its name, in a shape that fits all", () => {
  const shared = shareInputs([
    taker("a", spec("x", [-1, 4]), spec("z", [-1])),
    taker("b", spec("x", [-1, -1])),
  ]);
  expect(shared.problems).toEqual([]);
  expect(shared.inputs).toEqual([spec("x", [-1, 4]), spec("z", [-1])]);
  expect(shared.edges.map((edges) => edges.map(({ index }) => index))).toEqual([[0, 1], [0]]);
  expect(shared.edges.flat().some(({ isShapeOpen }) => isShapeOpen)).toBe(false);
});

test("shareInputs() gives all the same tensor where each takes one, named by the first", () => {
  const shared = shareInputs([
    taker("a", spec("float_input", [-1, 4])),
    taker("b", spec("X", [-1, 4])),
    taker("c", spec("features", [-1, -1])),
  ]);
  expect(shared.inputs).toEqual([spec("float_input", [-1, 4])]);
  expect(shared.edges.map(([edge]) => [edge?.index, edge?.target.name])).toEqual([
    [0, "float_input"],
    [0, "X"],
    [0, "features"],
  ]);
});

test("shareInputs() keeps different names apart as soon as one takes two", () => {
  const { inputs } = shareInputs([
    taker("a", spec("x", [-1])),
    taker("b", spec("y", [-1])),
    taker("c", spec("x", [-1]), spec("y", [-1])),
  ]);
  expect(inputs.map(({ name }) => name)).toEqual(["x", "y"]);
});

test("shareInputs() reports each taker that wants another datatype or shape than the first", () => {
  const { problems } = shareInputs([
    taker("a", spec("x", [-1, 4])),
    taker("b", spec("x", [-1, 4], "FP64")),
    taker("c", spec("x", [-1, 5])),
  ]);
  expect(problems).toEqual([
    {
      path: ["parallel", "b"],
      message:
        'branch "b" takes "x" as FP64 [-1, 4], branch "a" takes "x" as FP32 [-1, 4]; they get the same tensor, so both must agree',
    },
    {
      path: ["parallel", "c"],
      message:
        'branch "c" takes "x" as FP32 [-1, 5], branch "a" takes "x" as FP32 [-1, 4]; they get the same tensor, so both must agree',
    },
  ]);
});
