import { expect, it } from "vitest";
import { coverageRanges, rangeOf, sharesOf } from "./coverage-ranges.ts";

type Asked = readonly [armCount: number, coverage: number, weights?: number[]];

// The published cases of GrowthBook's bucket ranges, all thirteen.
it.each<[string, Asked, string]>([
  ["equal parts", [2, 1], "0 0.5, 0.5 1"],
  ["half of each part at half coverage", [2, 0.5], "0 0.25, 0.5 0.75"],
  ["nothing at no coverage", [2, 0], "0 0, 0.5 0.5"],
  ["quarters", [4, 1], "0 0.25, 0.25 0.5, 0.5 0.75, 0.75 1"],
  ["parts by weight", [2, 1, [0.4, 0.6]], "0 0.4, 0.4 1"],
  ["three parts by weight", [3, 1, [0.2, 0.3, 0.5]], "0 0.2, 0.2 0.5, 0.5 1"],
  ["a fifth of three parts", [3, 0.2, [0.2, 0.3, 0.5]], "0 0.04, 0.2 0.26, 0.5 0.6"],
  ["nothing below no coverage", [2, -0.2], "0 0, 0.5 0.5"],
  ["everything above full coverage", [2, 1.5], "0 0.5, 0.5 1"],
  ["equal parts for weights below 1", [2, 1, [0.4, 0.1]], "0 0.5, 0.5 1"],
  ["equal parts for weights above 1", [2, 1, [0.7, 0.6]], "0 0.5, 0.5 1"],
  [
    "equal parts for too few weights",
    [4, 1, [0.4, 0.4, 0.2]],
    "0 0.25, 0.25 0.5, 0.5 0.75, 0.75 1",
  ],
  ["weights that are almost 1 as they are", [2, 1, [0.4, 0.5999]], "0 0.4, 0.4 0.9999"],
])("coverageRanges() gives %s", (_what, asked, expected) => {
  const ranges = coverageRanges(...asked);
  const rounded = ranges.map(
    ({ from, to }) => `${Number(from.toFixed(9))} ${Number(to.toFixed(9))}`,
  );
  expect(rounded.join(", ")).toBe(expected);
});

const HALVES = coverageRanges(2, 1);
const QUARTERS = coverageRanges(2, 0.5);
const EMPTY_BETWEEN = [
  { from: 0, to: 0.5 },
  { from: 0.5, to: 0.5 },
  { from: 0.5, to: 1 },
];

// The published cases of the choice among them, all thirteen.
it.each([
  [HALVES, 0.2, 0],
  [HALVES, 0.4, 0],
  [HALVES, 0.6, 1],
  [HALVES, 0.8, 1],
  [HALVES, 0, 0],
  [HALVES, 0.5, 1],
  [QUARTERS, 0.2, 0],
  [QUARTERS, 0.4, undefined],
  [QUARTERS, 0.6, 1],
  [QUARTERS, 0.8, undefined],
  [QUARTERS, 0.25, undefined],
  [QUARTERS, 0.5, 1],
  [EMPTY_BETWEEN, 0.5, 2],
])("rangeOf(%j, %d) is %s", (ranges, hash, expected) => {
  expect(rangeOf(ranges, hash)).toBe(expected);
});

it("rangeOf() finds a part for every hash at full coverage, whatever the weights", () => {
  for (const weights of [
    [1 / 3, 1 / 3, 1 / 3],
    [0.1, 0.2, 0.7],
    new Array<number>(16).fill(1 / 16),
  ]) {
    const ranges = coverageRanges(weights.length, 1, weights);
    const hashes = Array.from({ length: 10_000 }, (_, step) => step / 10_000);
    expect(hashes.filter((hash) => rangeOf(ranges, hash) === undefined)).toEqual([]);
  }
});

it("sharesOf() takes weights from 0.99 to 1.01 in all", () => {
  expect(sharesOf(2, [0.49, 0.5])).toEqual([0.49, 0.5]);
  expect(sharesOf(2, [0.51, 0.5])).toEqual([0.51, 0.5]);
  expect(sharesOf(2, [0.485, 0.5])).toEqual([0.5, 0.5]);
  expect(sharesOf(2, [0.515, 0.5])).toEqual([0.5, 0.5]);
});
