import { describe, expect, test } from "vitest";
import { attributesOf } from "../rules/test-attributes.ts";
import { TestClock } from "../test-clock.ts";
import type { TensorSpec } from "../tensor/tensor.ts";
import { buildSequence } from "./build-sequence.ts";
import { buildSwitch, type SwitchOptions } from "./build-switch.ts";
import { runStep } from "./run-step.ts";
import type { StepContext } from "./step.ts";
import { mustBuild, problemsOf, rowsTensor, testContext, TestStep } from "./test-step.ts";

const spec = (
  name: string,
  shape: number[],
  datatype: TensorSpec["datatype"] = "FP32",
): TensorSpec => ({ name, datatype, shape });

const INPUTS = [rowsTensor("x", [1, 2])];

const isFrom =
  (region: string): SwitchOptions["cases"][number]["isMatch"] =>
  (subject) =>
    subject.attributes?.header("region") === region;

function fromRegion(region: string | undefined): StepContext {
  const headers: Record<string, string> = region === undefined ? {} : { region };
  const request = {
    predictionId: "p",
    requestId: undefined,
    attributes: attributesOf({ headers }),
  };
  return testContext(new TestClock(), { request });
}

describe("a switch", () => {
  test("runs the step of the first case that matches, else the default, and says which", async () => {
    const steps = ["asia", "asia-again", "europe", "world"].map((name) => new TestStep(name));
    const [asia, again, europe, world] = steps as [TestStep, TestStep, TestStep, TestStep];
    const step = mustBuild(
      buildSwitch({
        name: "region",
        cases: [
          { name: "in asia", isMatch: isFrom("asia"), to: asia },
          { name: "in asia too", isMatch: isFrom("asia"), to: again },
          { name: "in europe", isMatch: isFrom("europe"), to: europe },
        ],
        default: world,
      }),
    );
    for (const [region, expected] of [
      ["asia", "in asia"],
      ["europe", "in europe"],
      ["mars", "default"],
      [undefined, "default"],
    ] as const) {
      const context = fromRegion(region);
      const { outputs } = await runStep(step, INPUTS, context, context.trace);
      expect(context.trace.facts).toEqual({ case: expected });
      expect(outputs).toEqual([rowsTensor("y", [1, 2])]);
    }
    expect(steps.map(({ runCount }) => runCount)).toEqual([1, 0, 1, 2]);
  });

  test("looks at an output of an earlier step that no case takes", async () => {
    const classify = new TestStep("classify", {
      outputs: [spec("label", [-1], "BYTES")],
      give: () => [{ name: "label", datatype: "BYTES", shape: [1], data: ["cat"] }],
    });
    const [cats, others] = [new TestStep("cats"), new TestStep("others")];
    const route = mustBuild(
      buildSwitch({
        name: "by label",
        cases: [
          { name: "cats", isMatch: ({ input }) => input("label")?.data[0] === "cat", to: cats },
        ],
        default: others,
        reads: [spec("label", [-1], "BYTES")],
      }),
    );
    expect(route.inputs.map(({ name }) => name)).toEqual(["x", "label"]);
    const chain = mustBuild(
      buildSequence({
        name: "chain",
        members: [{ step: classify }, { step: route }],
        map: { x: "input.x" },
      }),
    );
    await runStep(chain, INPUTS, fromRegion(undefined));
    expect(cats.received[0]).toEqual(INPUTS);
    expect(others.runCount).toBe(0);
  });

  test("gives the outputs of any case in the order and by the names of the default", async () => {
    const pair = [spec("label", [-1], "BYTES"), spec("p", [-1, 2])];
    const given = [
      rowsTensor("p", [1, 2]),
      { name: "label", datatype: "BYTES", shape: [1], data: ["a"] } as const,
    ].map((tensor) => ({ ...tensor, data: tensor.data as string[] | Float32Array }));
    const turned = new TestStep("turned", {
      outputs: pair.toReversed(),
      prediction: 0,
      give: () => given,
    });
    const standard = new TestStep("standard", { outputs: pair, prediction: 1 });
    const only = { name: "case", isMatch: () => true, to: turned };
    const step = mustBuild(buildSwitch({ name: "s", cases: [only], default: standard }));
    const { outputs } = await runStep(step, INPUTS, fromRegion(undefined));
    expect(outputs.map(({ name }) => name)).toEqual(["label", "p"]);
    expect(step.prediction).toBe(1);
  });
});

describe("buildSwitch()", () => {
  const caseTo = (to: TestStep): SwitchOptions["cases"] => [
    { name: "one", isMatch: () => false, to },
  ];

  test("shares the only input and output of each, whatever their names, and keeps open extents open", () => {
    const to = new TestStep("to", {
      inputs: [spec("a", [-1, -1])],
      outputs: [spec("b", [-1, -1])],
    });
    const step = mustBuild(
      buildSwitch({ name: "s", cases: caseTo(to), default: new TestStep("d") }),
    );
    expect(step.inputs).toEqual([spec("x", [-1, 2])]);
    expect(step.outputs).toEqual([spec("y", [-1, -1])]);
  });

  test("has labels only where all cases have the same ones", () => {
    const standard = new TestStep("d", { labels: ["p", "q"] });
    const labelsWith = (labels: string[]): unknown => {
      const to = new TestStep("to", { labels });
      return mustBuild(buildSwitch({ name: "s", cases: caseTo(to), default: standard })).labels;
    };
    expect(labelsWith(["p", "q"])).toEqual(["p", "q"]);
    expect(labelsWith(["q", "p"])).toBeUndefined();
  });

  test("refuses a case that takes or gives something else, at that case", () => {
    const to = new TestStep("to", {
      inputs: [spec("x", [-1, 3])],
      outputs: [spec("y", [-1, 2], "FP64"), spec("z", [-1])],
    });
    expect(
      problemsOf(buildSwitch({ name: "s", cases: caseTo(to), default: new TestStep("d") })),
    ).toEqual([
      'switch.0.to: case "one" takes "x" as FP32 [-1, 3], the default takes "x" as FP32 [-1, 2]; they get the same tensor, so both must agree',
      'switch.0.to: case "one" gives "y" FP64 [-1, 2], "z" FP32 [-1], the default "y" FP32 [-1, 2]; all must give the same',
      'switch.0.to: case "one" gives 1 more outputs than the default',
    ]);
  });

  test("refuses a case with another prediction, and conditions that read what nobody gives", () => {
    const outputs = [spec("p", [-1]), spec("q", [-1])];
    const to = new TestStep("to", { outputs, prediction: 0 });
    const standard = new TestStep("d", { outputs, prediction: 1 });
    const reads = [spec("x", [-1], "BYTES")];
    expect(
      problemsOf(buildSwitch({ name: "s", cases: caseTo(to), default: standard, reads })),
    ).toEqual([
      'switch.0.to: case "one" has another output as its prediction than the default',
      'switch: the conditions read "x" BYTES [-1], the steps take "x" FP32 [-1, 2]',
    ]);
  });
});
