import { expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Branch } from "./branch.ts";
import { buildParallel, type ParallelOptions } from "./build-parallel.ts";
import { runStep } from "./run-step.ts";
import type { StepOutcome } from "./step-outcome.ts";
import { mustBuild, rowsTensor, testContext, TestStep } from "./test-step.ts";

/** What the three binary iris models really give: the probability of "is this species" for each of three flowers. */
const FLOWERS = [
  [5.1, 3.5, 1.4, 0.2],
  [1, 2, 3, 4],
  [50, 30.1, 111.4, 110.2],
];
const PROBABILITIES = {
  setosa: [0.9824145436286926, 0.2897033989429474, 0.2897033989429474],
  versicolor: [0.0046140821650624275, 0.05282164365053177, 0.05282164365053177],
  virginica: [0.011562099680304527, 0.3042130172252655, 0.3042130172252655],
};

function binaryModel(name: keyof typeof PROBABILITIES): TestStep {
  return new TestStep(`iris-${name}`, {
    inputs: [{ name: "float_input", datatype: "FP32", shape: [-1, 4] }],
    outputs: [
      { name: "label", datatype: "INT64", shape: [-1] },
      { name: "probabilities", datatype: "FP32", shape: [-1, 2] },
    ],
    prediction: 1,
    give: ([input]) => {
      const first = input?.data[0];
      const flower = FLOWERS.findIndex(([length]) => Math.fround(length ?? 0) === first);
      const p = PROBABILITIES[name][flower] ?? NaN;
      return [
        { name: "label", datatype: "INT64", shape: [1], data: BigInt64Array.of(p > 0.5 ? 0n : 1n) },
        rowsTensor("probabilities", [p, 1 - p]),
      ];
    },
  });
}

const THRESHOLDS = { setosa: 0.9, versicolor: 0.85, virginica: 0.95 };

function irisGraph(
  branch: (name: keyof typeof PROBABILITIES) => Partial<Branch>,
  options: Partial<ParallelOptions>,
): (flower: number[] | undefined) => Promise<StepOutcome> {
  const names = ["setosa", "versicolor", "virginica"] as const;
  const step = mustBuild(
    buildParallel({
      name: "iris",
      branches: names.map((name) => ({ name, step: binaryModel(name), ...branch(name) })),
      combine: "each",
      onError: "omit",
      ...options,
    }),
  );
  return (flower = []) =>
    runStep(step, [rowsTensor("float_input", flower)], testContext(new TestClock()));
}

/** As the front end replies to one row. */
const replyOf = (tensors: readonly Tensor[]): object =>
  Object.fromEntries(tensors.map(({ name, data }) => [name, data[0]]));

test.each(["omit", "observe"] as const)(
  "thresholds and switches of P25, deactivated branches with %s",
  async (deactivated) => {
    const predict = irisGraph(
      (name) => ({ threshold: THRESHOLDS[name], isActive: name !== "virginica" }),
      { deactivated },
    );
    const { outputs, observed, degraded } = await predict(FLOWERS[0]);
    expect(replyOf(outputs)).toEqual({ setosa: 1, versicolor: 0 });
    expect(replyOf((await predict(FLOWERS[2])).outputs)).toEqual({ setosa: 0, versicolor: 0 });
    expect(degraded).toEqual([]);
    const expected =
      deactivated === "omit" ? [] : [["virginica", Math.fround(0.011562099680304527)]];
    expect(observed.map(({ name, data }) => [name, data[0]])).toEqual(expected);
  },
);

test("the label of P07 is the branch that is surest", async () => {
  const predict = irisGraph(() => ({}), { combine: "argmax" });
  expect(replyOf((await predict(FLOWERS[1])).outputs)).toEqual({
    proba: 0.3042130172252655,
    label: "virginica",
  });
  expect(replyOf((await predict(FLOWERS[0])).outputs)).toEqual({
    proba: Math.fround(0.9824145436286926),
    label: "setosa",
  });
});
