import { expect, it } from "vitest";
import { combineByInverseVariance } from "./combine-by-inverse-variance.ts";
import type { Difference } from "./difference.ts";

const PRECISE: Difference = { value: 1, standardError: 0.1, degrees: 50, count: 1_000 };
const VAGUE: Difference = { value: 5, standardError: 0.2, degrees: 10, count: 100 };
const SILENT: Difference = { value: 0, standardError: 0, degrees: 18, count: 20 };

it("combineByInverseVariance() weighs phases by how precise they are", () => {
  // 1/0.01 = 100 and 1/0.04 = 25: shares 0.8 and 0.2
  const both = combineByInverseVariance([PRECISE, VAGUE]);
  expect(both?.value).toBeCloseTo(0.8 * 1 + 0.2 * 5, 12);
  expect(both?.standardError).toBeCloseTo(1 / Math.sqrt(125), 12);
  expect(both?.degrees).toBeCloseTo(1 / (0.64 / 50 + 0.04 / 10), 9);
  expect(both?.count).toBe(1_100);
});

it("combineByInverseVariance() makes of equal phases one of half the squared error", () => {
  const both = combineByInverseVariance([PRECISE, PRECISE]);
  expect(both?.value).toBeCloseTo(1, 12);
  expect(both?.standardError).toBeCloseTo(0.1 / Math.SQRT2, 12);
  expect(both?.degrees).toBeCloseTo(100, 9);
});

it("combineByInverseVariance() does not depend on the order, nor on how phases are grouped", () => {
  const third: Difference = { value: -2, standardError: 0.3, degrees: 30, count: 300 };
  const all = combineByInverseVariance([PRECISE, VAGUE, third]);
  const inner = combineByInverseVariance([PRECISE, third]) as Difference;
  const grouped = combineByInverseVariance([VAGUE, inner]);
  for (const key of ["value", "standardError", "degrees", "count"] as const) {
    expect(grouped?.[key]).toBeCloseTo(all?.[key] ?? NaN, 9);
  }
});

it("combineByInverseVariance() gives phases in which nothing varied no say beside others", () => {
  expect(combineByInverseVariance([PRECISE, SILENT])).toEqual(PRECISE);
  expect(combineByInverseVariance([SILENT, SILENT])).toMatchObject({ standardError: 0, count: 40 });
  expect(combineByInverseVariance([SILENT])).toEqual(SILENT);
  expect(combineByInverseVariance([])).toBeUndefined();
});
