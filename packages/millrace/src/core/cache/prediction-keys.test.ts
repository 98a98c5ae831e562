import { hash } from "node:crypto";
import { expect, test } from "vitest";
import type { Datatype, TensorData } from "../tensor/datatype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { PredictionKeys } from "./prediction-keys.ts";

const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");
const IRIS = ["iris", "1", "53856dda7040"];
const IRIS_ROW = Float32Array.of(5.1, 3.5, 1.4, 0.2);
const OUTPUTS = ["probabilities"];

function tensor(overrides: Partial<Tensor> = {}): Tensor {
  return { name: "x", datatype: "FP32", shape: [1, 4], data: IRIS_ROW, ...overrides };
}

function typed(datatype: Datatype, data: TensorData): Tensor {
  return tensor({ datatype, shape: [data.length], data });
}

const keyOf = (
  inputs: readonly Tensor[] = [tensor()],
  outputNames: readonly string[] = OUTPUTS,
  parameters?: readonly string[],
): string => new PredictionKeys(IRIS, sha256).keyOf(inputs, outputNames, parameters);

test("keyOf() gives letters, digits and colons, the same for the same each time", () => {
  const keys = new PredictionKeys(IRIS, sha256);
  expect(keys.keyOf([tensor()], OUTPUTS)).toMatch(/^p:[0-9a-f]{64}$/);
  expect(keys.keyOf([tensor()], [...OUTPUTS])).toBe(keys.keyOf([tensor()], OUTPUTS));
  expect(new PredictionKeys([...IRIS], sha256).keyOf([tensor()], OUTPUTS)).toBe(keyOf());
});

test("keyOf() differs when the model, the version or the digest does", () => {
  const identities = [
    IRIS,
    ["rf", "1", "53856dda7040"],
    ["iris", "2", "53856dda7040"],
    ["iris", "1", "6c4ef19f5054"],
  ];
  const keys = identities.map((one) => new PredictionKeys(one, sha256).keyOf([tensor()], OUTPUTS));
  expect(new Set(keys).size).toBe(identities.length);
});

test("keyOf() differs when name, datatype, shape or an element of an input does", () => {
  const inputs = [
    tensor(),
    tensor({ name: "y" }),
    tensor({ shape: [4, 1] }),
    tensor({ shape: [4] }),
    tensor({ data: Float32Array.of(5.1, 3.5, 1.4, 0.3) }),
    tensor({
      datatype: "UINT32",
      data: new Uint32Array(IRIS_ROW.slice().buffer),
    }),
  ];
  expect(new Set(inputs.map((one) => keyOf([one]))).size).toBe(inputs.length);
});

test("keyOf() differs when inputs that are alike come in another order or number", () => {
  const a = tensor({ name: "a" });
  const b = tensor({ name: "b" });
  const lists = [[a, b], [b, a], [a], [a, a, b]];
  expect(new Set(lists.map((list) => keyOf(list))).size).toBe(lists.length);
});

test("keyOf() differs when texts are cut elsewhere", () => {
  const lists = [
    ["ab", "c"],
    ["a", "bc"],
    ["abc", ""],
    ["", "abc"],
  ];
  expect(new Set(lists.map((texts) => keyOf([typed("BYTES", texts)]))).size).toBe(lists.length);
});

test("keyOf() differs between −0 and 0, which a model may tell apart", () => {
  expect(keyOf([typed("FP32", Float32Array.of(-0))])).not.toBe(
    keyOf([typed("FP32", Float32Array.of(0))]),
  );
});

test("keyOf() differs when other outputs, or another order of them, are asked for", () => {
  const keys = new PredictionKeys(IRIS, sha256);
  const lists = [["label"], ["label", "probabilities"], ["probabilities", "label"], [], ["label"]];
  const found = lists.map((names) => keys.keyOf([tensor()], names));
  expect(new Set(found).size).toBe(lists.length - 1);
  expect(found.at(-1)).toBe(found[0]);
});

test("keyOf() differs when a parameter does", () => {
  const lists = [[], ["a"], ["b"], ["a", "b"], ["ab"]];
  expect(new Set(lists.map((one) => keyOf([tensor()], OUTPUTS, one))).size).toBe(lists.length);
});

test("keyOf() digests a large input where it lies, and still sees its last element", () => {
  const large = new Float32Array(150_528);
  const changed = large.slice();
  changed[changed.length - 1] = 1;
  let copied = 0;
  const keys = new PredictionKeys(IRIS, (bytes) => {
    if (bytes.buffer !== large.buffer && bytes.buffer !== changed.buffer) copied += bytes.length;
    return sha256(bytes);
  });
  expect(keys.keyOf([typed("FP32", large)], OUTPUTS)).not.toBe(
    keys.keyOf([typed("FP32", changed)], OUTPUTS),
  );
  expect(copied).toBeLessThan(2000);
});
