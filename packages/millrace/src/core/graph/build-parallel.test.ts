import { describe, expect, test } from "vitest";
import type { TensorSpec } from "../tensor/tensor.ts";
import type { Branch } from "./branch.ts";
import { buildParallel, type ParallelOptions } from "./build-parallel.ts";
import { mustBuild, problemsOf, TestStep, type TestStepOptions } from "./test-step.ts";

const spec = (
  name: string,
  shape: number[],
  datatype: TensorSpec["datatype"] = "FP32",
): TensorSpec => ({ name, datatype, shape });

function branch(name: string, options: TestStepOptions = {}, more: Partial<Branch> = {}): Branch {
  return { name, step: new TestStep(`${name}-model`, options), ...more };
}

const build = (branches: readonly Branch[], more: Partial<ParallelOptions> = {}) =>
  buildParallel({ name: "branches", branches, combine: "each", onError: "omit", ...more });

describe("buildParallel()", () => {
  test("takes what the branches take and gives an output for each", () => {
    const step = mustBuild(build([branch("a"), branch("b")]));
    expect(step.inputs).toEqual([spec("x", [-1, 2])]);
    expect(step.outputs).toEqual([spec("a", [-1, 2]), spec("b", [-1, 2])]);
    expect([step.name, step.kind, step.prediction]).toEqual(["branches", "parallel", "all"]);
  });

  test("takes the same whether a branch is active or not, and gives what the active ones give", () => {
    const wide = { inputs: [spec("x", [-1, 2]), spec("z", [-1])] };
    for (const deactivated of ["omit", "observe"] as const) {
      const branches = [branch("a"), branch("b", wide, { isActive: false })];
      const step = mustBuild(build(branches, { deactivated }));
      expect(step.inputs.map(({ name }) => name)).toEqual(["x", "z"]);
      expect(step.outputs.map(({ name }) => name)).toEqual(["a"]);
    }
  });

  test("refuses none, and branches that cannot get the same input", () => {
    expect(problemsOf(build([]))).toEqual(["parallel: found no branch, expected at least one"]);
    const other = branch("b", { inputs: [spec("x", [-1, 3])] });
    expect(problemsOf(build([branch("a"), other]))).toEqual([
      'parallel.b: branch "b" takes "x" as FP32 [-1, 3], branch "a" takes "x" as FP32 [-1, 2]; they get the same tensor, so both must agree',
    ]);
  });

  test("refuses two outputs of one name", () => {
    const inner = branch("a", { outputs: [spec("b", [-1]), spec("c", [-1])], prediction: "all" });
    expect(problemsOf(build([inner, branch("a.b")]))).toEqual([
      'parallel: two outputs are named "a.b", expected different names of branches',
    ]);
  });

  test("refuses a threshold that nothing looks at", () => {
    const branches = [branch("a", {}, { threshold: 0.9 }), branch("b")];
    expect(problemsOf(build(branches, { combine: "argmax" }))).toEqual([
      "parallel.a: found threshold 0.9 with combine: argmax, expected combine: each",
    ]);
  });

  test.each<[string, TestStepOptions, string]>([
    [
      "text",
      { outputs: [spec("y", [-1], "BYTES")] },
      'the prediction of branch "a" is "y" BYTES [-1], expected numbers, FP32 or FP64',
    ],
    [
      "raw 16-bit floats",
      { outputs: [spec("y", [-1, 2], "FP16")] },
      'the prediction of branch "a" is "y" FP16 [-1, 2], expected numbers, FP32 or FP64',
    ],
    [
      "a row without that element",
      { score: 2 },
      'score 2 of branch "a" is not in a row of "y" FP32 [-1, 2], expected 0 to 1',
    ],
    [
      "several outputs together",
      { outputs: [spec("p", [-1]), spec("q", [-1])], prediction: "all" },
      'branch "a" gives p, q together, expected one prediction of numbers',
    ],
  ])("refuses a threshold and argmax for %s", (_, options, message) => {
    expect(problemsOf(build([branch("a", options, { threshold: 0.5 })]))).toEqual([
      `parallel.a: ${message}`,
    ]);
    expect(problemsOf(build([branch("a", options)], { combine: "argmax" }))).toEqual([
      `parallel.a: ${message}`,
    ]);
  });

  test("refuses a mean of what is no number or of other shapes", () => {
    const branches = [
      branch("a", { outputs: [spec("y", [-1], "INT64")] }),
      branch("b", { outputs: [spec("y", [-1, 3])] }),
      branch("c", { outputs: [spec("y", [-1, 4])] }),
    ];
    expect(problemsOf(build(branches, { combine: "mean" }))).toEqual([
      'parallel.a: the prediction of branch "a" is "y" INT64 [-1], expected one of FP32 or FP64',
      'parallel.c: the prediction of branch "c" is "y" FP32 [-1, 4], that of "b" "y" FP32 [-1, 3]: a mean needs equal shapes',
    ]);
  });

  test("refuses a vote of a branch that has no labels", () => {
    const branches = [
      branch("a"),
      branch("b", { labels: ["x", "y"] }),
      branch("c", { outputs: [spec("y", [-1], "BYTES")] }),
    ];
    expect(problemsOf(build(branches, { combine: "vote" }))).toEqual([
      'parallel.a: branch "a" has no labels to vote with, add models.<name>.labels',
    ]);
  });
});
