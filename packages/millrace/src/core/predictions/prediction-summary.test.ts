import { expect, it } from "vitest";
import { summaryOf } from "./prediction-summary.ts";
import { fp32, testContext } from "./test-record.ts";

it("summaryOf() gives the label of the largest and the score at its index, row by row", () => {
  const output = fp32("probabilities", [2, 3], [0.1, 0.7, 0.2, 0.9, 0.05, 0.05]);
  expect(summaryOf([output], testContext({ scoreIndex: 1 }))).toEqual({
    labels: ["versicolor", "setosa"],
    scores: [0.7, 0.05],
  });
});

it("summaryOf() gives whole numbers as their own labels where there are no names", () => {
  const output = {
    name: "y",
    datatype: "INT64",
    shape: [2],
    data: BigInt64Array.of(1n, 0n),
  } as const;
  const context = testContext({ predictionOutputs: ["y"], labels: undefined });
  expect(summaryOf([output], context)).toEqual({ labels: ["1", "0"], scores: [1, 0] });
});

it("summaryOf() gives text as the label, and no score", () => {
  const output = { name: "y", datatype: "BYTES", shape: [1], data: ["cat"] } as const;
  expect(
    summaryOf([{ ...output, data: ["cat"] }], testContext({ predictionOutputs: ["y"] })),
  ).toEqual({
    labels: ["cat"],
    scores: undefined,
  });
});

it("summaryOf() gives scores without labels where there are none", () => {
  const context = testContext({ predictionOutputs: ["y"], labels: undefined });
  expect(summaryOf([fp32("y", [2, 1], [1.5, 2.5])], context)).toEqual({
    labels: undefined,
    scores: [1.5, 2.5],
  });
});

it("summaryOf() gives the label that a graph chose", () => {
  const context = testContext({ predictionOutputs: ["label", "score"] });
  const label = { name: "label", datatype: "BYTES", shape: [1], data: ["dog"] } as const;
  expect(
    summaryOf([{ ...label, data: ["dog"] }, fp32("score", [1], [0.9])], context).labels,
  ).toEqual(["dog"]);
});

it("summaryOf() gives the best of several labels a row", () => {
  const context = testContext({ predictionOutputs: ["labels", "scores"] });
  const labels = {
    name: "labels",
    datatype: "BYTES" as const,
    shape: [2, 2],
    data: ["a", "b", "c", "d"],
  };
  expect(summaryOf([labels, fp32("scores", [2, 2], [4, 3, 2, 1])], context).labels).toEqual([
    "a",
    "c",
  ]);
});

it("summaryOf() gives nothing for an index without a name, an empty answer or a score that is not there", () => {
  const odd = {
    name: "probabilities",
    datatype: "INT32",
    shape: [1],
    data: Int32Array.of(9),
  } as const;
  expect(summaryOf([odd], testContext()).labels).toBeUndefined();
  const empty = fp32("probabilities", [0, 3], []);
  expect(summaryOf([empty], testContext()).labels).toBeUndefined();
  const narrow = fp32("probabilities", [1, 2], [1, 2]);
  expect(summaryOf([narrow], testContext({ scoreIndex: 5 })).scores).toBeUndefined();
});
