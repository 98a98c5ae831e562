import { describe, expect, it } from "vitest";
import type { JsonValue } from "../json.ts";
import { compareLabel } from "./compare-label.ts";

const compare = (
  reference: JsonValue,
  other: JsonValue,
  labels: readonly (string | undefined)[] = [],
) => compareLabel({ value: reference, label: labels[0] }, { value: other, label: labels[1] });

describe("compareLabel()", () => {
  it("compares labels, whatever the order of the classes", () => {
    expect(compare([0.9, 0.1], [0.1, 0.9], ["cat", "cat"])).toEqual({ isAgreed: true });
    expect(compare([0.9, 0.1], [0.9, 0.1], ["cat", "dog"])).toEqual({
      isAgreed: false,
      detail: "cat → dog",
    });
  });

  it("compares the largest score where one has no label", () => {
    expect(compare([0.6, 0.4], [0.9, 0.1], ["cat", undefined]).isAgreed).toBe(true);
    expect(compare([0.6, 0.4, 0], [0, 0.4, 0.6]).detail).toBe("class 0 → class 2");
    expect(compare([0.5, 0.5], [0.5, 0.5]).isAgreed).toBe(true);
  });

  it("compares texts, whole numbers and booleans as they are", () => {
    expect(compare("cat", "cat").isAgreed).toBe(true);
    expect(compare([2], 2n).isAgreed).toBe(true);
    expect(compare(true, false).detail).toBe("class 1 → class 0");
  });

  it("compares output by output", () => {
    const reference = { left: [0.1, 0.9], right: "a" };
    expect(compare(reference, { right: "a", left: [0.2, 0.8] }).isAgreed).toBe(true);
    expect(compare(reference, { left: [0.9, 0.1], right: "a" }).detail).toBe(
      "left: class 1 → class 0",
    );
    expect(compare(reference, { left: null, right: "a" }).detail).toBe("left: class 1 → none");
    expect(compare(reference, { left: [0, 1] }).detail).toBe("right: missing");
  });

  it("says that a single score names no class", () => {
    expect(compare(0.7, 0.7)).toEqual({ isAgreed: false, detail: "a single score names no class" });
  });
});
