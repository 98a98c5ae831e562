import { describe, expect, it } from "vitest";
import type { JsonValue } from "../json.ts";
import { compareTopK } from "./compare-top-k.ts";

const compare = (reference: JsonValue, other: JsonValue, k = 2) =>
  compareTopK(k)({ value: reference, label: undefined }, { value: other, label: undefined });

describe("compareTopK()", () => {
  it("agrees on the same classes in whatever order", () => {
    expect(compare([0.5, 0.4, 0.1], [0.3, 0.6, 0.1])).toEqual({ isAgreed: true, distance: 0 });
    expect(compare([0.5, 0.4, 0.1], [0.3, 0.6, 0.1], 1).isAgreed).toBe(false);
  });

  it("tells the share that is lost, and which", () => {
    expect(compare([0.5, 0.4, 0.1, 0], [0, 0.4, 0.1, 0.5])).toEqual({
      isAgreed: false,
      distance: 0.5,
      detail: "class 0 is no longer among the first 2",
    });
  });

  it("lets equal scores stand in for each other", () => {
    expect(compare([0.5, 0.25, 0.25], [0.5, 0.25, 0.25]).isAgreed).toBe(true);
    expect(compare([0.4, 0.2, 0.4], [0.5, 0.25, 0.25]).isAgreed).toBe(true);
  });

  it("compares output by output and refuses what has no classes", () => {
    expect(compare({ a: [1, 0, 0], b: [1, 0, 0] }, { a: [1, 0, 0], b: [0, 0, 1] }, 1)).toEqual({
      isAgreed: false,
      distance: 1,
      detail: "b: class 0 is no longer among the first 1",
    });
    expect(compare(0.5, 0.5).isAgreed).toBe(false);
    expect(compare([1, 0], [1, 0, 0]).detail).toBe("found 3 classes, expected 2");
  });
});
