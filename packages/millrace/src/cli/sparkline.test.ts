import { describe, expect, it } from "vitest";
import { sparkline } from "./sparkline.ts";

describe("sparkline()", () => {
  it("draws the highest value full, a small one low, and leaves a gap where there is none", () => {
    expect(sparkline([0, 1, 4, undefined, 8], { isUnicode: true })).toBe("▁▂▅ █");
    expect(sparkline([0, 1, 4, undefined, 8], { isUnicode: false })).toBe("_.+ @");
  });

  it("draws a flat line where all is 0, and nothing of nothing", () => {
    expect(sparkline([0, 0], { isUnicode: true })).toBe("▁▁");
    expect(sparkline([], { isUnicode: true })).toBe("");
  });
});
