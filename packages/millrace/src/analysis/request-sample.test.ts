import { describe, expect, it } from "vitest";
import { ResultRow } from "../evaluation/result-rows.ts";
import { sampledOneOf, wholeSums } from "./request-sample.ts";

describe("sampledOneOf()", () => {
  it.each([
    [0, 1],
    [3_999_999, 1],
    [4_000_000, 2],
    [10_000_000, 4],
    [1_000_000_000, 256],
  ])("of %i requests takes the units of one of %i, at least two million", (requests, oneOf) => {
    expect(sampledOneOf(requests)).toBe(oneOf);
  });
});

describe("wholeSums()", () => {
  const row = (values: Readonly<Record<string, number>>): ResultRow =>
    new ResultRow(new Map(Object.entries(values)));
  const arm = { units: 100, y: 3, x: 200, yy: 5, xx: 420, xy: 7 };
  const none = { units: 0, y: 0, x: 0, yy: 0, xx: 0, xy: 0 };
  const totals = [
    row({ phase: 1, arm: 1, class: 10, count: 500, errors: 9 }),
    row({ phase: 1, arm: 1, class: 20, count: 305, errors: 4 }),
    row({ phase: 1, arm: 2, class: 20, count: 77, errors: 1 }),
    row({ phase: 2, arm: 1, class: 20, count: 99, errors: 8 }),
  ];
  const errors = (one: ResultRow): number => one.number("errors");

  it("takes totals as they were counted, and squares and products times the share", () => {
    const [phase] = wholeSums([{ phase: 1, arms: [arm, none] }], 4, totals, errors);
    expect(phase?.arms[0]).toEqual({ units: 400, y: 13, x: 805, yy: 20, xx: 1680, xy: 28 });
    expect(phase?.arms[1]).toEqual({ ...none, y: 1, x: 77 });
  });

  it("leaves the sums of all units as they are", () => {
    const sums = [{ phase: 1, arms: [arm, none] }];
    expect(wholeSums(sums, 1, totals, errors)).toBe(sums);
  });
});
