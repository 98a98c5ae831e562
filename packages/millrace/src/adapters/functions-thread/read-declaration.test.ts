import { expect, test } from "vitest";
import { DeclarationError, readDeclaration } from "./read-declaration.ts";
import type { FunctionKind } from "./thread-messages.ts";

const X = { datatype: "FP32", shape: [-1, 2] };
const run = (): void => undefined;

function messageOf(exported: unknown, kind: FunctionKind = "function"): string {
  try {
    readDeclaration(exported, kind);
  } catch (error) {
    if (error instanceof DeclarationError) return error.message;
    throw error;
  }
  return "no error";
}

test("readDeclaration() reads names, datatypes and shapes in their order", () => {
  const exported = { inputs: { b: X, a: X }, outputs: { y: X, z: X }, run };
  expect(readDeclaration(exported, "function").declaration).toEqual({
    inputs: [
      { name: "b", ...X },
      { name: "a", ...X },
    ],
    outputs: [
      { name: "y", ...X },
      { name: "z", ...X },
    ],
    prediction: 0,
    labels: undefined,
    score: 0,
  });
});

test("readDeclaration() reads the prediction, its labels and its score", () => {
  const labels = ["no", "yes"];
  const exported = { inputs: { x: X }, outputs: { y: X, z: X }, run };
  const read = (more: object): object =>
    readDeclaration({ ...exported, ...more }, "function").declaration;
  expect(read({ prediction: "z", labels, score: "yes" })).toMatchObject({
    prediction: 1,
    labels,
    score: 1,
  });
  expect(read({ prediction: "all", score: 3 })).toMatchObject({ prediction: "all", score: 3 });
});

test("readDeclaration() gives a load function one input of keys and a combine function none", () => {
  const load = readDeclaration({ key: "id", outputs: { y: X }, load: run }, "load");
  expect(load.declaration.inputs).toEqual([{ name: "id", datatype: "BYTES", shape: [-1] }]);
  const combine = readDeclaration({ outputs: { y: X }, combine: run }, "combine");
  expect(combine.declaration.inputs).toEqual([]);
});

test("readDeclaration() calls the function as a method of its definition", () => {
  const exported = {
    factor: 3,
    inputs: { x: X },
    outputs: { y: X },
    run(): number {
      return this.factor;
    },
  };
  expect(readDeclaration(exported, "function").run()).toBe(3);
});

test.each<[unknown, FunctionKind, string]>([
  [null, "function", "its default export is null, expected export default defineStep("],
  [[], "load", "its default export is a list, expected export default defineLoad("],
  [run, "combine", "its default export is a function, expected export default defineCombine("],
  [{}, "function", 'its default export has no function "run", expected'],
  [{ run }, "load", 'has no function "load", but "run", which is for "function: <file>"'],
  [{ run }, "function", "outputs: found nothing, expected { name: { datatype, shape } }"],
  [{ run, outputs: {} }, "function", "outputs: found none, expected at least one"],
  [{ run, outputs: { y: X }, inputs: {} }, "function", "inputs: found none, expected at least one"],
  [{ run, outputs: { y: 5 } }, "function", "outputs.y: found a number, expected { datatype"],
  [{ run, outputs: { y: { shape: [-1] } } }, "function", "outputs.y.datatype: found nothing"],
  [{ run, outputs: { y: { ...X, shape: 4 } } }, "function", "outputs.y.shape: found 4, expected"],
  [{ run, outputs: { y: { ...X, shape: [] } } }, "function", "outputs.y.shape: found []"],
  [{ run, outputs: { y: { ...X, shape: [-2] } } }, "function", "outputs.y.shape: found [-2]"],
  [{ run, outputs: { y: { ...X, shape: [1.5] } } }, "function", "outputs.y.shape: found [1.5]"],
  [{ load: run, outputs: { y: X } }, "load", "key: found nothing, expected the name of the input"],
  [{ load: run, key: "id", outputs: { y: { ...X, shape: [3] } } }, "load", "expected -1 first"],
  [
    { combine: run, outputs: { y: X }, prediction: "z" },
    "combine",
    'prediction: found "z", expected one of "y", "all"',
  ],
  [{ combine: run, outputs: { y: X }, labels: [1] }, "combine", "labels: found [1], expected"],
  [
    { combine: run, outputs: { y: X }, labels: ["a"], score: "b" },
    "combine",
    'score: found "b", expected one of the labels or an index from 0',
  ],
])("readDeclaration() refuses %j as %s", (exported, kind, expected) => {
  expect(messageOf(exported, kind)).toContain(expected);
});
