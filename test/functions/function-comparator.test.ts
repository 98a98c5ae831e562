import { describe, expect, test } from "vitest";
import type { ComparedOutputs } from "../../packages/millrace/src/core/compare/compared-rows.ts";
import type { ComparedPair } from "../../packages/millrace/src/ports/comparator-source.ts";
import { TestFunctions } from "./function-parts.ts";

function scores(shape: readonly number[], ...values: number[]): ComparedOutputs {
  const data = Float32Array.from(values);
  return {
    outputs: [{ name: "y", datatype: "FP32", shape, data }],
    names: ["y"],
    isAlone: true,
    predictionOutputs: ["y"],
    labels: ["a", "b"],
  };
}

const PAIR: ComparedPair = {
  predictionId: "p-1",
  answer: scores([2, 2], 0.1, 0.9, 0.8, 0.2),
  shadow: scores([2, 2], 0.1, 0.9, 0.3, 0.7),
  rowCount: 2,
};

describe("compare()", () => {
  test("asks the function for each row, with what /predict would answer and the labels", async () => {
    await using mine = new TestFunctions();
    const path = mine.file(
      "rows.mjs",
      `export default (answer, shadow) => ({
        isAgreed: answer.label === shadow.label,
        distance: Math.abs(answer.value[0] - shadow.value[0]),
        detail: JSON.stringify([answer, shadow]),
      });`,
    );
    const comparator = await mine.functions.compare(path);
    expect(await comparator.compare(PAIR)).toEqual({
      isAgreed: false,
      distance: 0.5,
      detail: '[{"value":[0.8,0.2],"label":"a"},{"value":[0.3,0.7],"label":"b"}]',
    });
    const same = { ...PAIR, shadow: PAIR.answer };
    expect(await comparator.compare(same)).toEqual({ isAgreed: true, distance: 0 });
    const whole = { ...same, rowCount: undefined };
    expect((await comparator.compare(whole)).isAgreed).toBe(true);
    await comparator.close();
  });

  test("waits for a promise, and takes a plain boolean", async () => {
    await using mine = new TestFunctions();
    const path = mine.file("later.mts", "export default async (): Promise<boolean> => true;");
    const comparator = await mine.functions.compare(path);
    expect(await comparator.compare(PAIR)).toEqual({ isAgreed: true });
    await comparator.close();
  });

  test("calls it a difference when the function throws or gives nothing of use", async () => {
    await using mine = new TestFunctions();
    const throws = mine.file("throws.mjs", 'export default () => { throw new Error("no"); };');
    const vague = mine.file("vague.mjs", 'export default () => "yes";');
    for (const [path, why] of [
      [throws, "no"],
      [vague, "it gave string, expected a boolean or { isAgreed }"],
    ] as const) {
      const comparator = await mine.functions.compare(path);
      const detail = `the comparison failed: ${why}`;
      expect(await comparator.compare(PAIR)).toEqual({ isAgreed: false, detail });
      await comparator.close();
    }
  });

  test("ends the thread of a function that does not end, and starts another one", async () => {
    await using mine = new TestFunctions();
    const path = mine.file(
      "loops.mjs",
      "export default (answer) => { while (answer.value[0] > 0.5); return true; };",
    );
    const comparator = await mine.functions.compare(path);
    await expect(comparator.compare(PAIR)).rejects.toMatchObject({
      code: "FUNCTION_FAILED",
      reason: "timeout",
    });
    const quick = scores([1, 2], 0, 1);
    const pair = { ...PAIR, answer: quick, shadow: quick, rowCount: 1 };
    expect(await comparator.compare(pair)).toEqual({ isAgreed: true });
    await comparator.close();
  });

  test("refuses a file that exports no function", async () => {
    await using mine = new TestFunctions();
    const path = mine.file("none.mjs", "export default { compare: 1 };");
    await expect(mine.functions.compare(path)).rejects.toThrow(
      "its default export is an object, expected export default (answer, shadow) => boolean",
    );
  });
});
