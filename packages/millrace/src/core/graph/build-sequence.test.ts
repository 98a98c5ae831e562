import { describe, expect, test } from "vitest";
import type { TensorSpec } from "../tensor/tensor.ts";
import { buildSequence } from "./build-sequence.ts";
import { mustBuild, problemsOf, TestStep } from "./test-step.ts";

const spec = (
  name: string,
  shape: number[],
  datatype: TensorSpec["datatype"] = "FP32",
): TensorSpec => ({ name, datatype, shape });

const PREP = new TestStep("prep", {
  inputs: [spec("image", [-1, 8], "UINT8")],
  outputs: [spec("pixels", [-1, 4])],
});
const SVC = new TestStep("svc", {
  inputs: [spec("float_input", [-1, 4])],
  outputs: [spec("label", [-1], "INT64"), spec("probabilities", [-1, 3])],
  prediction: 1,
  labels: ["a", "b", "c"],
  score: 2,
});
const SMOOTH = new TestStep("smooth", {
  inputs: [spec("probabilities", [-1, 3])],
  outputs: [spec("smoothed", [-1, 3])],
});

describe("buildSequence()", () => {
  test("takes what the first step takes and gives, and means, what the last one gives", () => {
    const step = mustBuild(
      buildSequence({ name: "iris", members: [{ step: PREP }, { step: SVC }] }),
    );
    expect(step.name).toBe("iris");
    expect(step.inputs).toEqual(PREP.inputs);
    expect(step.outputs).toEqual(SVC.outputs);
    expect([step.prediction, step.labels, step.score]).toEqual([1, ["a", "b", "c"], 2]);
  });

  test("refuses none", () => {
    const build = buildSequence({ name: "iris", members: [] });
    expect(problemsOf(build)).toEqual(["sequence: found no step, expected at least one"]);
  });

  test("reports every edge that does not fit, at the step that takes it", () => {
    const members = [{ step: PREP }, { step: SMOOTH }, { step: SVC }];
    const problems = problemsOf(buildSequence({ name: "iris", members }));
    expect(problems).toEqual([
      'sequence.1: step "smooth" takes "probabilities" FP32 [-1, 3], "pixels" of "prep" is FP32 [-1, 4]; no step before gives what fits',
      'sequence.2: step "svc" takes "float_input" FP32 [-1, 4], "smoothed" of "smooth" is FP32 [-1, 3]; write map: { float_input: prep.pixels }',
    ]);
  });

  test("reads a map whose inputs may have their step before them", () => {
    const again = new TestStep("again", { inputs: SVC.inputs, outputs: SVC.outputs });
    const members = [{ step: PREP }, { step: SVC }, { step: again }];
    const problems = (map: Record<string, string>): string[] =>
      problemsOf(buildSequence({ name: "iris", members, map }));
    expect(problems({ "again.float_input": "prep.pixels" })).toEqual([]);
    expect(problems({ float_input: "prep.pixels" })).toContain(
      'map.float_input: several steps have an input "float_input": write one of svc.float_input, again.float_input',
    );
    expect(problems({ "again.float_input": "prep.pixels", image: "x", "svc.x": "y" })).toEqual([
      'map.image: found no input "image" after the first step, expected one of svc.float_input, again.float_input',
      'map.svc.x: found no input "svc.x" after the first step, expected one of svc.float_input, again.float_input',
    ]);
  });

  test("refuses two map lines for one input", () => {
    const members = [{ step: PREP }, { step: SVC }];
    const map = { float_input: "pixels", "svc.float_input": "prep.pixels" };
    expect(problemsOf(buildSequence({ name: "iris", members, map }))).toEqual([
      "map.svc.float_input: a line for svc.float_input stands there already",
    ]);
  });

  test("refuses to skip a step whose inputs are not what later steps take", () => {
    const members = [{ step: PREP, onError: "skip" as const }, { step: SVC }];
    expect(problemsOf(buildSequence({ name: "iris", members }))).toEqual([
      'sequence.0: step "prep" cannot be skipped: step "svc" takes "float_input" FP32 [-1, 4], "image" UINT8 [-1, 8] is what "prep" gets',
    ]);
  });

  test("refuses to skip the last step when the sequence would give something else", () => {
    const members = [{ step: PREP }, { step: SVC, onError: "skip" as const }];
    expect(problemsOf(buildSequence({ name: "iris", members }))).toEqual([
      'sequence.1: step "svc" cannot be skipped: the sequence gives "label" INT64 [-1], "float_input" FP32 [-1, 4] is what "svc" gets',
      'sequence.1: step "svc" cannot be skipped: the sequence gives "probabilities" FP32 [-1, 3], "float_input" FP32 [-1, 4] is what "svc" gets',
    ]);
  });

  test("lets a step be skipped when its input has what is taken of it", () => {
    const members = [{ step: SVC }, { step: SMOOTH, onError: "skip" as const }];
    expect(problemsOf(buildSequence({ name: "iris", members }))).toEqual([]);
  });

  test("refuses a step in another one's place that takes or gives something else, or other labels", () => {
    const stranger = new TestStep("stranger", {
      inputs: [spec("text", [-1], "BYTES")],
      outputs: [spec("answer", [-1], "BYTES")],
      labels: ["c", "b", "a"],
    });
    const members = [{ step: PREP }, { step: SVC, onError: stranger }, { step: SMOOTH }];
    expect(problemsOf(buildSequence({ name: "iris", members }))).toEqual([
      'sequence.1: step "stranger" cannot stand in for "svc": it takes "text" BYTES [-1], "svc" gets "float_input" FP32 [-1, 4]',
      'sequence.1: step "stranger" cannot stand in for "svc": their labels differ, so their classes would be confused',
      'sequence.1: step "stranger" cannot stand in for "svc": step "smooth" takes "probabilities" FP32 [-1, 3], it gives "answer" BYTES [-1]',
    ]);
  });

  test("asks of a step in another one's place only what is taken of that one", () => {
    const constant = new TestStep("constant", {
      inputs: [spec("rows", [-1, -1])],
      outputs: [spec("p", [-1, 3])],
    });
    const members = [{ step: PREP }, { step: SVC, onError: constant }, { step: SMOOTH }];
    expect(problemsOf(buildSequence({ name: "iris", members }))).toEqual([]);
  });
});
