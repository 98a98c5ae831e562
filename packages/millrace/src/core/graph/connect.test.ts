import { describe, expect, test } from "vitest";
import type { Datatype } from "../tensor/datatype.ts";
import type { TensorSpec } from "../tensor/tensor.ts";
import { connect, type Connection, type MapLine } from "./connect.ts";

const spec = (name: string, shape: number[], datatype: Datatype = "FP32"): TensorSpec => ({
  name,
  datatype,
  shape,
});

const CLASSIFIER = {
  name: "svc",
  outputs: [spec("label", [-1], "INT64"), spec("probabilities", [-1, 3])],
};

const lines = (map: Record<string, string>): ReadonlyMap<string, MapLine> =>
  new Map(Object.entries(map).map(([key, from]) => [key, { key, from }]));

/** `source.index name isShapeOpen` of each edge. */
const edgesOf = ({ edges, problems }: Connection): string[] => {
  expect(problems).toEqual([]);
  return edges.map(({ source, index, from, target, isShapeOpen }) => {
    return `${source}.${index} ${from} -> ${target.name}${isShapeOpen ? " open" : ""}`;
  });
};

const messagesOf = ({ problems }: Connection): string[] =>
  problems.map(({ path, message }) => `${path.join(".")}: ${message}`);

describe("connect() finds an input", () => {
  test("by its name among the outputs of the step before", () => {
    const target = {
      name: "b",
      inputs: [spec("probabilities", [-1, 3]), spec("label", [-1], "INT64")],
    };
    expect(edgesOf(connect([CLASSIFIER], target))).toEqual([
      "0.1 probabilities -> probabilities",
      "0.0 label -> label",
    ]);
  });

  test("by being the only one on both sides, whatever the names are", () => {
    const before = { name: "a", outputs: [spec("y", [-1, 4])] };
    const target = { name: "b", inputs: [spec("x", [-1, 4])] };
    expect(edgesOf(connect([CLASSIFIER, before], target))).toEqual(["1.0 y -> x"]);
  });

  test("by a map line: an output of the step before, or of any earlier one with its name", () => {
    const between = { name: "scale.v2", outputs: [spec("scaled", [-1, 3]), spec("sum", [-1])] };
    const target = { name: "b", inputs: [spec("p", [-1, 3]), spec("q", [-1, 3])] };
    const map = lines({ p: "scaled", q: "svc.probabilities" });
    expect(edgesOf(connect([CLASSIFIER, between], target, map))).toEqual([
      "1.0 scaled -> p",
      "0.1 probabilities -> q",
    ]);
    expect(
      edgesOf(connect([CLASSIFIER, between], target, lines({ p: "scale.v2.scaled", q: "scaled" }))),
    ).toEqual(["1.0 scaled -> p", "1.0 scaled -> q"]);
  });

  test("in the nearest step where several have the name", () => {
    const target = { name: "b", inputs: [spec("p", [-1, 3]), spec("label", [-1], "INT64")] };
    const map = lines({ p: "svc.probabilities" });
    expect(edgesOf(connect([CLASSIFIER, CLASSIFIER], target, map))[0]).toBe(
      "1.1 probabilities -> p",
    );
  });

  test("in an output whose own name has a dot, before a step of that name", () => {
    const before = { name: "a", outputs: [spec("svc.probabilities", [-1, 3]), spec("z", [-1])] };
    const target = { name: "b", inputs: [spec("p", [-1, 3])] };
    const map = lines({ p: "svc.probabilities" });
    expect(edgesOf(connect([CLASSIFIER, before], target, map))).toEqual([
      "1.0 svc.probabilities -> p",
    ]);
  });

  test.each([
    [[-1, 3], [-1, 3], ""],
    [[-1, 3], [-1, -1], ""],
    [[2, 3], [2, 3], ""],
    [[-1, -1], [-1, 3], " open"],
    [[-1, 3], [1, 3], " open"],
  ])("of shape %o as %o, where only a run can tell: %o", (given, taken, open) => {
    const before = { name: "a", outputs: [spec("y", given)] };
    const target = { name: "b", inputs: [spec("x", taken)] };
    expect(edgesOf(connect([before], target))).toEqual([`0.0 y -> x${open}`]);
  });
});

describe("connect() refuses", () => {
  test("an input that several outputs fit, with the nearest three lines", () => {
    const early = { name: "early", outputs: [spec("e", [-1, 3]), spec("f", [-1, 3])] };
    const before = { name: "before", outputs: [spec("g", [-1, 3]), spec("h", [-1, 3])] };
    const target = { name: "b", inputs: [spec("x", [-1, 3])] };
    expect(messagesOf(connect([early, before], target))[0]).toContain(
      "; write map: { x: g } or map: { x: h } or map: { x: early.e }",
    );
  });

  test("an input that no output has the name of, with the line that would fix it", () => {
    const target = { name: "softmax", inputs: [spec("x", [-1, 3])] };
    expect(messagesOf(connect([CLASSIFIER], target))).toEqual([
      ': step "softmax" takes "x" FP32 [-1, 3], "svc" gives "label" INT64 [-1], "probabilities" FP32 [-1, 3]; write map: { x: probabilities }',
    ]);
  });

  test("an input that no step gives, and says so", () => {
    const target = { name: "resnet", inputs: [spec("image", [-1, 3, 224, 224])] };
    expect(messagesOf(connect([CLASSIFIER], target))).toEqual([
      ': step "resnet" takes "image" FP32 [-1, 3, 224, 224], "svc" gives "label" INT64 [-1], "probabilities" FP32 [-1, 3]; no step before gives what fits',
    ]);
  });

  test("another datatype, and offers what an earlier step gives", () => {
    const input = { name: "input", outputs: [spec("row", [-1, 4])] };
    const before = { name: "a", outputs: [spec("x", [-1, 4], "FP64")] };
    const target = { name: "b", inputs: [spec("x", [-1, 4])] };
    expect(messagesOf(connect([input, before], target))).toEqual([
      ': step "b" takes "x" FP32 [-1, 4], "x" of "a" is FP64 [-1, 4]; no step before gives what fits; if what the request brings is meant, write map: { x: input.row }',
    ]);
  });

  test.each([
    [
      [-1, 3],
      [-1, 4],
    ],
    [[-1], [-1, 1]],
    [
      [2, 3],
      [1, 3],
    ],
  ])("shape %o for %o", (given, taken) => {
    const before = { name: "a", outputs: [spec("y", given)] };
    const target = { name: "b", inputs: [spec("x", taken)] };
    const [message] = messagesOf(connect([before], target));
    expect(message).toContain(`"y" of "a" is FP32 [${given.join(", ")}]`);
  });

  test("a map line that leads nowhere, at that line, and every other problem too", () => {
    const target = { name: "b", inputs: [spec("p", [-1, 3]), spec("q", [-1, 3])] };
    const map = lines({ p: "svc.probs" });
    expect(messagesOf(connect([CLASSIFIER], target, map))).toEqual([
      'map.p: found "svc.probs"; step "b" takes "p" FP32 [-1, 3], "svc" gives "label" INT64 [-1], "probabilities" FP32 [-1, 3]; write map: { p: probabilities }',
      ': step "b" takes "q" FP32 [-1, 3], "svc" gives "label" INT64 [-1], "probabilities" FP32 [-1, 3]; write map: { q: probabilities }',
    ]);
  });
});
