import { describe, expect, it } from "vitest";
import { isClose, numbersIn } from "./verify-answers.ts";

describe("numbersIn()", () => {
  it("finds the values in every form of answer", () => {
    expect(numbersIn([[1, 2]])).toEqual([1, 2]);
    expect(numbersIn({ prediction: [[1, 2]] })).toEqual([1, 2]);
    expect(numbersIn({ outputs: [{ name: "y", data: [1, 2] }] })).toEqual([1, 2]);
    expect(numbersIn({ error: "no" })).toEqual([]);
  });
});

describe("isClose()", () => {
  it("wants as many values as expected, each within the tolerance", () => {
    expect(isClose([1, 2.05], [1, 2], 0.1)).toBe(true);
    expect(isClose([1, 2.2], [1, 2], 0.1)).toBe(false);
    expect(isClose([1], [1, 2], 0.1)).toBe(false);
    expect(isClose([1, NaN], [1, 2], 0.1)).toBe(false);
  });
});
