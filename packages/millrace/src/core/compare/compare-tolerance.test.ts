import { describe, expect, it } from "vitest";
import type { JsonValue } from "../json.ts";
import { compareTolerance } from "./compare-tolerance.ts";

const compare = (
  reference: JsonValue,
  other: JsonValue,
  tolerance = { absolute: 1e-3, relative: 1e-3 },
) =>
  compareTolerance(tolerance)(
    { value: reference, label: undefined },
    { value: other, label: undefined },
  );

describe("compareTolerance()", () => {
  it("allows absolute + relative × |reference|, as numpy's allclose does", () => {
    // 1000 allows 0.001 + 1.
    expect(compare([1000], [1001]).isAgreed).toBe(true);
    expect(compare([1000], [1001.1]).isAgreed).toBe(false);
    expect(compare([-1000], [-1001]).isAgreed).toBe(true);
    expect(compare([0], [0.001]).isAgreed).toBe(true);
    expect(compare([0], [0.0011]).isAgreed).toBe(false);
    const exact = { absolute: 0, relative: 0.1 };
    // Not symmetrical: the reference is what the share is taken of.
    expect(compare([10], [11], exact).isAgreed).toBe(true);
    expect(compare([9.95], [10.99], exact).isAgreed).toBe(false);
  });

  it("tells the largest distance and the first place", () => {
    expect(compare({ score: [1, 2, 3] }, { score: [1, 2.5, 5] })).toEqual({
      isAgreed: false,
      distance: 2,
      detail: "score[1]: found 2.5, expected 2: 0.500 apart",
    });
  });

  it("agrees on missing numbers, on equal texts and on bigints", () => {
    expect(compare([null, "a", 10n], [NaN, "a", 10n])).toEqual({ isAgreed: true, distance: 0 });
    expect(compare([null], [1]).isAgreed).toBe(false);
    expect(compare(["a"], ["b"]).detail).toBe('[0]: found "b", expected "a"');
    expect(compare([1], [1, 2]).detail).toBe("found 2 values, expected 1");
  });
});
