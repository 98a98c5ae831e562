import { describe, expect, test } from "vitest";
import { TestClock } from "../test-clock.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import { buildSoftmax } from "./build-softmax.ts";
import { mustBuild, problemsOf, testContext, TestStep } from "./test-step.ts";

function scores(datatype: TensorSpec["datatype"], shape: number[], more = {}): TestStep {
  return new TestStep("scores", { outputs: [{ name: "logits", datatype, shape }], ...more });
}

async function softmax(of: TestStep, input: Omit<Tensor, "name">, axis = -1): Promise<Tensor> {
  const step = mustBuild(buildSoftmax({ name: "softmax", of, axis }));
  const { outputs } = await step.run([{ ...input, name: "logits" }], testContext(new TestClock()));
  return outputs[0]!;
}

describe("softmax", () => {
  test("gives probabilities of the same datatype and shape, each row for itself", async () => {
    const data = Float64Array.of(Math.log(1), Math.log(3), Math.log(4), Math.log(1), 0, -Infinity);
    const output = await softmax(scores("FP64", [-1, 3]), {
      datatype: "FP64",
      shape: [2, 3],
      data,
    });
    expect([output.name, output.datatype, output.shape]).toEqual(["probabilities", "FP64", [2, 3]]);
    const expected = [1 / 8, 3 / 8, 4 / 8, 1 / 2, 1 / 2, 0];
    for (const [i, value] of expected.entries()) expect(output.data[i]).toBeCloseTo(value, 12);
  });

  test("survives scores whose exponential overflows or vanishes", async () => {
    for (const shift of [1e4, -1e4]) {
      const data = Float32Array.of(shift, shift + 1);
      const output = await softmax(scores("FP32", [-1, 2]), {
        datatype: "FP32",
        shape: [1, 2],
        data,
      });
      expect(output.data[0]).toBeCloseTo(1 / (1 + Math.E), 6);
      expect(output.data[1]).toBeCloseTo(Math.E / (1 + Math.E), 6);
    }
  });

  test.each([1, 2, 3, -3])("adds up to 1 along axis %i only", async (axis) => {
    const shape = [2, 3, 4, 5];
    const data = Float32Array.from({ length: 120 }, (_, i) => Math.sin(7 * i) * 5);
    const { data: found } = await softmax(
      scores("FP32", [-1, 3, 4, 5]),
      { datatype: "FP32", shape, data },
      axis,
    );
    const own = axis < 0 ? axis + 4 : axis;
    const strides = [60, 20, 5, 1];
    for (let i = 0; i < 120; i++) {
      const stride = strides[own]!;
      const first = i - (Math.floor(i / stride) % shape[own]!) * stride;
      const line = Array.from({ length: shape[own]! }, (_, k) => first + k * stride);
      const total = line.reduce((sum, at) => sum + Math.exp(data[at]!), 0);
      expect(found[i]).toBeCloseTo(Math.exp(data[i]!) / total, 5);
    }
  });

  test("gives no rows for none", async () => {
    const input = { datatype: "FP32", shape: [0, 3], data: new Float32Array(0) } as const;
    expect((await softmax(scores("FP32", [-1, 3]), input)).data).toHaveLength(0);
  });
});

describe("buildSoftmax()", () => {
  test("takes the prediction of the step before and keeps its labels and score", () => {
    const of = new TestStep("svc", {
      outputs: [
        { name: "label", datatype: "INT64", shape: [-1] },
        { name: "logits", datatype: "FP32", shape: [-1, 2] },
      ],
      prediction: 1,
      labels: ["a", "b"],
      score: 1,
    });
    const step = mustBuild(buildSoftmax({ name: "softmax", of }));
    expect(step.inputs).toEqual([of.outputs[1]]);
    expect(step.outputs).toEqual([{ name: "probabilities", datatype: "FP32", shape: [-1, 2] }]);
    expect([step.prediction, step.labels, step.score]).toEqual([0, ["a", "b"], 1]);
  });

  test.each<[TestStep, number, string]>([
    [
      scores("FP32", [-1, 3]),
      0,
      'found axis 0 of "logits" FP32 [-1, 3], expected 1 to 1, or -1 for the last',
    ],
    [
      scores("FP32", [-1, 3]),
      2,
      'found axis 2 of "logits" FP32 [-1, 3], expected 1 to 1, or -1 for the last',
    ],
    [
      scores("FP32", [-1, 3]),
      -2,
      'found axis -2 of "logits" FP32 [-1, 3], expected 1 to 1, or -1 for the last',
    ],
    [
      scores("FP32", [-1]),
      -1,
      'found axis -1 of "logits" FP32 [-1], expected an axis after the rows',
    ],
    [
      scores("FP16", [-1, 3]),
      -1,
      'the step before gives "logits" FP16 [-1, 3], expected FP32 or FP64',
    ],
    [
      scores("FP32", [-1, 3], { prediction: "all" }),
      -1,
      "the step before gives no single prediction, expected scores",
    ],
  ])("refuses what has no such axis: %#", (of, axis, message) => {
    expect(problemsOf(buildSoftmax({ name: "softmax", of, axis }))).toEqual([
      `softmax: ${message}`,
    ]);
  });
});
