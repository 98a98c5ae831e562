import { expect, test } from "vitest";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import { CallProblem } from "./call-problem.ts";
import { packRecords } from "./pack-records.ts";
import type { CallFailure } from "./thread-messages.ts";

const V: TensorSpec = { name: "v", datatype: "FP32", shape: [-1, 2] };
const N: TensorSpec = { name: "n", datatype: "BYTES", shape: [-1] };

function failureOf(returned: unknown, keys: string[], specs = [V]): CallFailure | undefined {
  try {
    packRecords(returned, keys, specs);
  } catch (error) {
    if (error instanceof CallProblem) return error.failure;
    throw error;
  }
  return undefined;
}

test("packRecords() puts records of arrays and of typed arrays under one another", () => {
  const records = [
    { v: [1, 2], n: "a" },
    { v: Float32Array.of(3, 4), n: "b" },
  ];
  expect(packRecords(records, ["k", "l"], [V, N])).toEqual([
    { ...V, shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
    { ...N, shape: [2], data: ["a", "b"] },
  ]);
});

test("packRecords() finds the records of a Map by key, also twice", () => {
  const records = new Map([
    ["a", { n: "first" }],
    ["b", { n: "second" }],
  ]);
  const [names] = packRecords(records, ["b", "a", "b"], [N]);
  expect(names?.data).toEqual(["second", "first", "second"]);
});

test("packRecords() gives the elements of a typed array the shape that is declared", () => {
  const spec: TensorSpec = { name: "v", datatype: "FP32", shape: [-1, 2, -1] };
  const [tensor] = packRecords([{ v: new Float32Array(6) }], ["a"], [spec]);
  expect(tensor?.shape).toEqual([1, 2, 3]);
});

test("packRecords() gives no rows for no keys", () => {
  expect(packRecords([], [], [V])).toEqual([{ ...V, shape: [0, 2], data: new Float32Array(0) }]);
});

test.each([[[undefined, { v: [1, 2] }, null]], [new Map([["b", { v: [1, 2] }]])]])(
  "packRecords() names every row without a record",
  (records) => {
    expect(failureOf(records, ["a", "b", "c"])).toEqual({ kind: "missing", rows: [0, 2] });
  },
);

test.each<[unknown, string]>([
  [undefined, "gave no list, expected one record per key in their order, or a Map by key"],
  [{ a: { v: [1, 2] } }, "gave no list"],
  [[{ v: [1, 2] }], "gave 1 records for 2 keys, expected as many"],
  [[1, 2], "gave a number for a key, expected a record with the outputs"],
  [[{ v: [1, 2] }, {}], 'gave no "v" for row 1, expected FP32 [-1, 2]'],
  [[{ v: [1, 2] }, { v: [1] }], 'gave output "v" with rows of different lengths'],
  [[{ v: new Float32Array(2) }, { v: new Float32Array(3) }], 'gave output "v" with 3 elements'],
])("packRecords() refuses %j", (returned, expected) => {
  const failure = failureOf(returned, ["a", "b"]);
  expect(failure?.kind === "output" ? failure.state : failure).toContain(expected);
});

test("packRecords() refuses rows of different shapes where an extent may vary", () => {
  const spec: TensorSpec = { name: "v", datatype: "FP32", shape: [-1, -1] };
  const records = [{ v: new Float32Array(2) }, { v: new Float32Array(3) }];
  expect(failureOf(records, ["a", "b"], [spec])).toEqual({
    kind: "output",
    state: 'gave rows of "v" with shapes [1, 2] and [1, 3], expected equal ones',
  });
});
