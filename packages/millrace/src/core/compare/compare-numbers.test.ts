import { expect, test } from "vitest";
import type { Tensor } from "../tensor/tensor.ts";
import { TestRandom } from "../test-random.ts";
import { compareEqual } from "./compare-equal.ts";
import { compareNumbers } from "./compare-numbers.ts";
import { compareRows } from "./compare-rows.ts";
import { compareTolerance } from "./compare-tolerance.ts";
import { comparedRows, type ComparedOutputs } from "./compared-rows.ts";

const TOLERANCE = { absolute: 0.1, relative: 0 };

function alone(...outputs: readonly Tensor[]): ComparedOutputs {
  const names = outputs.map(({ name }) => name);
  return {
    outputs,
    names,
    isAlone: names.length === 1,
    predictionOutputs: names,
    labels: undefined,
  };
}

function fp32(shape: readonly number[], ...values: number[]): Tensor {
  return { name: "y", datatype: "FP32", shape, data: Float32Array.from(values) };
}

test("compareNumbers() says what the comparators say of the values", () => {
  const random = new TestRandom(11);
  const values = (count: number): number[] =>
    Array.from({ length: count }, () => [0, 0.5, 0.55, 1, NaN][random.below(5)] ?? 0);
  for (let i = 0; i < 500; i++) {
    const rowCount = 1 + random.below(3);
    const shape = [rowCount, 1 + random.below(3), 1 + random.below(2)];
    const size = shape.reduce((a, b) => a * b, 1);
    const answer = alone(fp32(shape, ...values(size)));
    const other = random.below(3) === 0 ? answer : alone(fp32(shape, ...values(size)));
    for (const rows of [rowCount, undefined]) {
      for (const tolerance of [undefined, TOLERANCE]) {
        const compare = tolerance === undefined ? compareEqual : compareTolerance(tolerance);
        const expected = compareRows(
          compare,
          comparedRows(answer, rows),
          comparedRows(other, rows),
        );
        const found = compareNumbers(answer, other, { tolerance, rowCount: rows });
        const { distance = 0, ...rest } = found ?? {};
        const { distance: expectedDistance = 0, ...expectedRest } = expected;
        expect(rest, `request ${i}`).toEqual(expectedRest);
        expect(distance).toBeCloseTo(expectedDistance, 6);
      }
    }
  }
});

test("compareNumbers() names the output and the place of the first difference", () => {
  const labels: Tensor = {
    name: "n",
    datatype: "INT64",
    shape: [2],
    data: BigInt64Array.of(1n, 2n),
  };
  const others = { ...labels, data: BigInt64Array.of(1n, 3n) };
  const answer = alone(fp32([2, 1, 2], 1, 2, 3, 4), labels);
  const shadow = alone(fp32([2, 1, 2], 1, 2, 3, 5), others);
  expect(compareNumbers(answer, shadow, { tolerance: undefined, rowCount: 2 })).toEqual({
    isAgreed: false,
    distance: 1,
    detail: "y[0][1]: found 5, expected 4",
  });
  expect(compareNumbers(answer, shadow, { tolerance: TOLERANCE, rowCount: undefined })).toEqual({
    isAgreed: false,
    distance: 1,
    detail: "y[1][0][1]: found 5, expected 4: 1.00 apart",
  });
});

test("compareNumbers() leaves other types, other shapes, texts and half floats to the comparators", () => {
  const one = fp32([1, 2], 1, 2);
  const others: Tensor[] = [
    fp32([2, 1], 1, 2),
    { ...one, datatype: "FP64", data: Float64Array.of(1, 2) },
    { ...one, datatype: "BYTES", data: ["1", "2"] },
  ];
  for (const other of others) {
    const found = compareNumbers(alone(one), alone(other), { tolerance: undefined, rowCount: 1 });
    expect(found).toBeUndefined();
  }
  const half: Tensor = { ...one, datatype: "FP16", data: Uint16Array.of(1, 2) };
  expect(
    compareNumbers(alone(half), alone(half), { tolerance: undefined, rowCount: 1 }),
  ).toBeUndefined();
});
