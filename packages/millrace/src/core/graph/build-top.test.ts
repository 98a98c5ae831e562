import { describe, expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import { TestRandom } from "../test-random.ts";
import type { TensorSpec } from "../tensor/tensor.ts";
import { buildTop } from "./build-top.ts";
import { mustBuild, problemsOf, rowsTensor, testContext, TestStep } from "./test-step.ts";

function scores(classCount: number, more = {}): TestStep {
  return new TestStep("scores", {
    outputs: [{ name: "p", datatype: "FP32", shape: [-1, classCount] }],
    ...more,
  });
}

async function top(of: TestStep, count: number, ...rows: number[][]): Promise<unknown> {
  const step = mustBuild(buildTop({ name: "top", of, count }));
  const { outputs } = await step.run([rowsTensor("p", ...rows)], testContext(new TestClock()));
  return outputs.map(({ name, shape, data }) => [name, shape, Array.from<unknown>(data)]);
}

describe("top", () => {
  test("gives the largest scores of each row, largest first, with index and label", async () => {
    const of = scores(4, { labels: ["a", "b", "c", "d"] });
    expect(await top(of, 2, [0.25, 0.5, 0.125, 0.125], [0, 1, 2, 3])).toEqual([
      ["scores", [2, 2], [0.5, 0.25, 3, 2]],
      ["indices", [2, 2], [1n, 0n, 3n, 2n]],
      ["labels", [2, 2], ["b", "a", "d", "c"]],
    ]);
  });

  test("keeps equal scores in their order and puts NaN last", async () => {
    expect(await top(scores(5), 5, [1, NaN, 2, 1, NaN])).toEqual([
      ["scores", [1, 5], [2, 1, 1, NaN, NaN]],
      ["indices", [1, 5], [2n, 0n, 3n, 1n, 4n]],
    ]);
  });

  test("gives all classes where a run has fewer", async () => {
    expect(await top(scores(-1), 5, [1, 2])).toEqual([
      ["scores", [1, 2], [2, 1]],
      ["indices", [1, 2], [1n, 0n]],
    ]);
  });

  test("fails when a class turns out to have no label", async () => {
    const of = scores(-1, { labels: ["a"] });
    await expect(top(of, 1, [1, 2])).rejects.toMatchObject({
      code: "LABELS_NOT_FOUND",
      message: "Cannot predict: class 1 has no label, there are 1",
    });
  });

  test("gives what sorting gives, for any scores", async () => {
    const random = new TestRandom(11);
    for (let i = 0; i < 200; i++) {
      const row = Array.from({ length: 1 + random.below(40) }, () => random.below(12) / 4);
      const count = 1 + random.below(row.length);
      const sorted = [...row.keys()].sort((a, b) => row[b]! - row[a]! || a - b).slice(0, count);
      expect(await top(scores(row.length), count, row), `${i} of seed ${random.seed}`).toEqual([
        ["scores", [1, count], sorted.map((index) => row[index])],
        ["indices", [1, count], sorted.map(BigInt)],
      ]);
    }
  });
});

describe("buildTop()", () => {
  test("says what it gives: no labels where there are none, any number where the classes vary", () => {
    const specOf = (name: string, datatype: TensorSpec["datatype"], count: number): TensorSpec => ({
      name,
      datatype,
      shape: [-1, count],
    });
    const step = mustBuild(
      buildTop({ name: "top", of: scores(3, { labels: ["a", "b", "c"] }), count: 2 }),
    );
    expect(step.outputs).toEqual([
      specOf("scores", "FP32", 2),
      specOf("indices", "INT64", 2),
      specOf("labels", "BYTES", 2),
    ]);
    expect(step.prediction).toBe("all");
    const open = mustBuild(buildTop({ name: "top", of: scores(-1), count: 2 }));
    expect(open.outputs).toEqual([specOf("scores", "FP32", -1), specOf("indices", "INT64", -1)]);
  });

  test.each<[TestStep, number, string]>([
    [scores(3), 4, "found 4, expected 1 to 3, the classes there are"],
    [scores(-1), 0, "found 0, expected at least 1"],
    [
      scores(3, { labels: ["a"] }),
      1,
      "the step before gives 3 scores and has 1 labels, expected as many",
    ],
    [
      scores(3, { outputs: [{ name: "p", datatype: "FP32", shape: [-1] }] }),
      1,
      'the step before gives "p" FP32 [-1], expected FP32 or FP64 [batch, class]',
    ],
    [
      scores(3, { prediction: "all" }),
      1,
      "the step before gives no single prediction, expected scores",
    ],
  ])("refuses what has not so many classes: %#", (of, count, message) => {
    expect(problemsOf(buildTop({ name: "top", of, count }))).toEqual([`top: ${message}`]);
  });
});
