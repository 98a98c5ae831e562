import { describe, expect, it } from "vitest";
import { medianOf, percentilesOf } from "./percentiles.ts";

describe("percentilesOf()", () => {
  it("takes values that occurred, by nearest rank", () => {
    const values = Array.from({ length: 200 }, (_, i) => 200 - i);
    expect(percentilesOf(values)).toEqual({ n: 200, p50: 100, p95: 190, p99: 198, max: 200 });
  });

  it("is NaN without values", () => {
    expect(percentilesOf([])).toEqual({ n: 0, p50: NaN, p95: NaN, p99: NaN, max: NaN });
  });
});

describe("medianOf()", () => {
  it("takes the middle one of an odd count and the mean of two of an even one", () => {
    expect(medianOf([9, 1, 5])).toBe(5);
    expect(medianOf([9, 1, 5, 7])).toBe(6);
    expect(medianOf([3])).toBe(3);
    expect(medianOf([])).toBeNaN();
  });
});
