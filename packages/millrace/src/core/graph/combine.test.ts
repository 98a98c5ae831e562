import { describe, expect, test } from "vitest";
import type { Datatype, TensorData } from "../tensor/datatype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Branch, BranchResult, Combiner } from "./branch.ts";
import { combineArgmax } from "./combine-argmax.ts";
import { combineEach } from "./combine-each.ts";
import { combineMean } from "./combine-mean.ts";
import { combineVote } from "./combine-vote.ts";
import type { GraphProblem } from "./graph-problem.ts";
import { rowsTensor, TestStep } from "./test-step.ts";

interface BranchSpec {
  readonly name: string;
  readonly prediction: Tensor;
  readonly labels?: readonly string[];
  readonly score?: number;
  readonly threshold?: number;
}

/** A branch that gave a second output before its prediction. */
function resultOf({ name, prediction, threshold, ...options }: BranchSpec): BranchResult {
  const shape = prediction.shape.map((extent, axis) => (axis === 0 ? -1 : extent));
  const outputs = [rowsTensor("other", [0]), prediction];
  const step = new TestStep(name, {
    ...options,
    prediction: 1,
    outputs: [
      { name: "other", datatype: "FP32", shape: [-1, 1] },
      { ...prediction, shape },
    ],
  });
  return { branch: { name, step, threshold }, outputs };
}

type Combine = (branches: readonly Branch[], problems: GraphProblem[]) => Combiner;

function combine(how: Combine, ...specs: BranchSpec[]): readonly Tensor[] {
  const results = specs.map(resultOf);
  const problems: GraphProblem[] = [];
  const combiner = how(
    results.map(({ branch }) => branch),
    problems,
  );
  expect(problems).toEqual([]);
  const outputs = combiner.combine(results) as readonly Tensor[];
  expect(outputs.map(({ name, datatype }) => [name, datatype])).toEqual(
    combiner.outputs.map(({ name, datatype }) => [name, datatype]),
  );
  return outputs;
}

const tensor = (datatype: Datatype, shape: number[], data: TensorData): Tensor => ({
  name: "y",
  datatype,
  shape,
  data,
});

const valuesOf = (tensors: readonly Tensor[]): Record<string, unknown[]> =>
  Object.fromEntries(tensors.map(({ name, data }) => [name, Array.from<unknown>(data)]));

describe("combineEach()", () => {
  test("gives the prediction of each branch under its name, whatever its rows", () => {
    const a = rowsTensor("y", [1, 2]);
    const b = rowsTensor("y", [3], [4]);
    expect(
      combine(combineEach, { name: "a", prediction: a }, { name: "b", prediction: b }),
    ).toEqual([
      { ...a, name: "a" },
      { ...b, name: "b" },
    ]);
  });

  test("gives 1 for each row whose score reaches the threshold, else 0; NaN does not", () => {
    const prediction = rowsTensor("y", [9, 0.5], [9, 0.25], [9, NaN], [0, 1]);
    const outputs = combine(combineEach, { name: "a", prediction, score: 1, threshold: 0.5 });
    expect(outputs).toEqual([
      { name: "a", datatype: "INT32", shape: [4], data: Int32Array.of(1, 0, 0, 1) },
    ]);
  });

  test.each<[Tensor, number]>([
    [tensor("FP64", [2], Float64Array.of(0.9, 0.1)), 0.5],
    [tensor("INT64", [2, 1], BigInt64Array.of(7n, -7n)), 1],
    [tensor("BOOL", [2], Uint8Array.of(1, 0)), 1],
  ])("compares scores of %o", (prediction, threshold) => {
    const [output] = combine(combineEach, { name: "a", prediction, threshold });
    expect(output?.data).toEqual(Int32Array.of(1, 0));
  });

  test("fails when a row turns out not to have the score, with its size", () => {
    const step = new TestStep("a", {
      outputs: [{ name: "y", datatype: "FP32", shape: [-1, -1] }],
      score: 2,
    });
    const branch = { name: "a", step, threshold: 0.5 };
    const combiner = combineEach([branch], []);
    expect(() => combiner.combine([{ branch, outputs: [rowsTensor("y", [1, 2])] }])).toThrow(
      'Cannot predict: score 2 of branch "a" is not in "y", a row has 2 elements',
    );
  });
});

describe("combineArgmax()", () => {
  test("gives for each row the largest score and the branch it is from, the first of equal ones", () => {
    const outputs = combine(
      combineArgmax,
      { name: "a", prediction: rowsTensor("y", [0.5, 9], [0.25, 9]) },
      { name: "b", prediction: rowsTensor("y", [0.25], [0.75]) },
      { name: "c", prediction: rowsTensor("y", [0.5], [0.75]) },
    );
    expect(valuesOf(outputs)).toEqual({ proba: [0.5, 0.75], label: ["a", "b"] });
    expect(outputs.map(({ shape }) => shape)).toEqual([[2], [2]]);
  });

  test("prefers any number to NaN and negative ones to none", () => {
    const outputs = combine(
      combineArgmax,
      { name: "a", prediction: rowsTensor("y", [NaN], [-5], [NaN]) },
      { name: "b", prediction: rowsTensor("y", [-3], [NaN], [NaN]) },
    );
    expect(valuesOf(outputs)).toEqual({ proba: [-3, -5, NaN], label: ["b", "a", "a"] });
  });

  test("keeps every digit of scores of 64 bits", () => {
    const prediction = tensor("FP64", [1], Float64Array.of(0.1));
    const b = { name: "b", prediction: rowsTensor("y", [0]) };
    expect(combine(combineArgmax, b, { name: "a", prediction })[0]?.data).toEqual(
      Float64Array.of(0.1),
    );
  });
});

describe("combineMean()", () => {
  test("gives the mean of each element, in the shape of the branches", () => {
    const outputs = combine(
      combineMean,
      { name: "a", prediction: rowsTensor("y", [1, 2], [3, 4]), labels: ["p", "q"] },
      { name: "b", prediction: rowsTensor("y", [2, 4], [6, 8]), labels: ["p", "q"] },
      { name: "c", prediction: rowsTensor("y", [3, 0], [0, 0]), labels: ["p", "q"] },
    );
    expect(outputs).toEqual([rowsTensor("mean", [2, 2], [3, 4])]);
  });

  test("has the labels of the branches only where all have the same ones", () => {
    const results = [
      ["p", "q"],
      ["p", "q"],
      ["q", "p"],
    ].map((labels, i) => resultOf({ name: `${i}`, prediction: rowsTensor("y", [1, 2]), labels }));
    const branches = results.map(({ branch }) => branch);
    expect(combineMean(branches.slice(0, 2), []).labels).toEqual(["p", "q"]);
    expect(combineMean(branches, []).labels).toBeUndefined();
  });

  test("is FP64 when one branch is", () => {
    const [output] = combine(
      combineMean,
      { name: "a", prediction: rowsTensor("y", [0]) },
      { name: "b", prediction: tensor("FP64", [1, 1], Float64Array.of(0.2)) },
    );
    expect(output?.data).toEqual(Float64Array.of(0.1));
  });

  test("fails when shapes turn out to differ, with both", () => {
    const results = [rowsTensor("y", [1, 2]), rowsTensor("y", [1, 2, 3])].map((prediction, i) => {
      const outputs = [{ name: "y", datatype: "FP32", shape: [-1, -1] } as const];
      const branch = { name: `b${i}`, step: new TestStep("m", { outputs }) };
      return { branch, outputs: [prediction] };
    });
    const combiner = combineMean(
      results.map(({ branch }) => branch),
      [],
    );
    expect(() => combiner.combine(results)).toThrow(
      'Cannot predict: branch "b0" gave [1, 2], branch "b1" gave [1, 3], expected equal shapes',
    );
  });
});

describe("combineVote()", () => {
  const LABELS = ["p", "q", "r"];
  const vote = (...rows: number[][]): Record<string, unknown[]> =>
    valuesOf(
      combine(
        combineVote,
        ...rows.map((row, i) => ({
          name: `b${i}`,
          prediction: rowsTensor("y", row),
          labels: LABELS,
        })),
      ),
    );

  test("gives for each row the label most branches chose, and how many did", () => {
    const labels = LABELS;
    const outputs = combine(
      combineVote,
      { name: "a", prediction: rowsTensor("y", [1, 0, 0], [0, 1, 0]), labels },
      { name: "b", prediction: rowsTensor("y", [0.6, 0.4, 0], [0, 0, 1]), labels },
      { name: "c", prediction: rowsTensor("y", [0, 0, 1], [0, 0, 0.4]), labels },
    );
    expect(valuesOf(outputs)).toEqual({ label: ["p", "r"], votes: [2, 2] });
  });

  test("breaks a tie by the mean of the voters' scores, then by name", () => {
    expect(vote([0.9, 0, 0], [0, 0, 0.8])).toEqual({ label: ["p"], votes: [1] });
    expect(vote([0.7, 0, 0], [0, 0, 0.8])).toEqual({ label: ["r"], votes: [1] });
    expect(vote([0, 0, 0.5], [0, 0.5, 0])).toEqual({ label: ["q"], votes: [1] });
    expect(vote([NaN, NaN, NaN], [0, 0.1, 0])).toEqual({ label: ["q"], votes: [1] });
  });

  test("counts classes and texts as votes of branches that are sure, each with its own labels", () => {
    const outputs = combine(
      combineVote,
      { name: "a", prediction: tensor("INT64", [1], BigInt64Array.of(2n)), labels: LABELS },
      { name: "b", prediction: tensor("BYTES", [1], ["r"]) },
      { name: "c", prediction: rowsTensor("y", [5, 0]), labels: ["r", "p"] },
    );
    expect(valuesOf(outputs)).toEqual({ label: ["r"], votes: [3] });
  });
});

test.each([
  ["combineArgmax()", combineArgmax],
  ["combineMean()", combineMean],
  ["combineVote()", combineVote],
])("%s fails when branches gave different rows, and names both", (_, how) => {
  const labels = ["p", "q"];
  const a = { name: "a", prediction: rowsTensor("y", [1, 2]), labels };
  const b = { name: "b", prediction: rowsTensor("y", [1, 2], [3, 4]), labels };
  expect(() => combine(how, a, b)).toThrow(
    'Cannot predict: branch "a" gave 1 rows, branch "b" 2, expected as many',
  );
});

test.each([
  ["combineEach()", combineEach],
  ["combineArgmax()", combineArgmax],
  ["combineMean()", combineMean],
  ["combineVote()", combineVote],
])("%s combines no rows to no rows", (_, how) => {
  const prediction = tensor("FP32", [0, 2], new Float32Array(0));
  const branches = ["a", "b"].map((name) => ({ name, prediction, labels: ["p", "q"] }));
  for (const output of combine(how, ...branches)) expect(output.shape[0]).toBe(0);
});
