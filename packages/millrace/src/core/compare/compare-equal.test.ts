import { describe, expect, it } from "vitest";
import type { JsonValue } from "../json.ts";
import { compareEqual } from "./compare-equal.ts";

const compare = (reference: JsonValue, other: JsonValue) =>
  compareEqual({ value: reference, label: undefined }, { value: other, label: undefined });

describe("compareEqual()", () => {
  it("agrees on the same numbers, texts and members, and on what is missing in both", () => {
    expect(compare([[1, 0.5], [null]], [[1, 0.5], [NaN]])).toEqual({ isAgreed: true, distance: 0 });
    expect(compare({ a: "x", b: [true] }, { b: [true], a: "x" }).isAgreed).toBe(true);
    expect(compare(9007199254740993n, 9007199254740993n).isAgreed).toBe(true);
    expect(compare(7n, 7).isAgreed).toBe(true);
  });

  it("counts what differs and names the first place", () => {
    expect(compare([0.25, 0.5, 0.25], [0.25, 0.25, 0.5])).toEqual({
      isAgreed: false,
      distance: 2,
      detail: "[1]: found 0.25, expected 0.5",
    });
    expect(compare(9007199254740993n, 9007199254740992n).isAgreed).toBe(false);
    expect(compare({ a: { b: ["x"] } }, { a: { b: ["y"] } }).detail).toBe(
      'a.b[0]: found "y", expected "x"',
    );
    expect(compare([1], [null]).isAgreed).toBe(false);
  });

  it.each([
    [[1, 2], [1], "found 1 values, expected 2"],
    [[1], 1, "found one value, expected several values"],
    [{ a: 1 }, [1], "found several values, expected an object"],
    [{ a: [1] }, { a: [[1]] }, "a[0]: found several values, expected one value"],
    [{ a: 1 }, { b: 1 }, 'found "b", which was not there'],
    [{ a: 1, b: 1 }, { a: 1 }, '"b" is missing'],
  ] as const)("says why %j and %j cannot be laid side by side", (reference, other, detail) => {
    expect(compare(reference, other)).toEqual({ isAgreed: false, detail });
  });
});
