import { expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { compareLabel } from "./compare-label.ts";
import { compareLeaders } from "./compare-leaders.ts";
import { compareRows } from "./compare-rows.ts";
import { comparedRows, type ComparedOutputs } from "./compared-rows.ts";

function scores(
  shape: readonly number[],
  values: readonly number[],
  labels?: readonly string[],
): ComparedOutputs {
  const data = Float32Array.from(values);
  const outputs = [{ name: "y", datatype: "FP32", shape, data } as const];
  return { outputs, names: ["y"], isAlone: true, predictionOutputs: ["y"], labels };
}

test("compareLeaders() says what compareLabel() says of the values", () => {
  const random = new TestRandom(7);
  for (let i = 0; i < 300; i++) {
    const rowCount = 1 + random.below(3);
    const shape = [rowCount, 2 + random.below(3)];
    const size = rowCount * (shape[1] as number);
    const values = (): number[] =>
      Array.from({ length: size }, () => random.pick([0, 0.5, 1, NaN, Infinity, -Infinity]));
    const answer = scores(shape, values());
    const shadow = random.below(2) === 0 ? answer : scores(shape, values());
    for (const rows of [rowCount, undefined]) {
      const expected = compareRows(
        compareLabel,
        comparedRows(answer, rows),
        comparedRows(shadow, rows),
      );
      expect(compareLeaders(answer, shadow, rows)).toEqual(expected);
    }
  }
});

test("compareLeaders() leaves labels and single scores to compareLabel()", () => {
  const labelled = scores([1, 2], [1, 2], ["a", "b"]);
  expect(compareLeaders(labelled, labelled, 1)).toBeUndefined();
  const single = scores([2, 1], [1, 2]);
  expect(compareLeaders(single, single, 2)).toBeUndefined();
});
