import { expect, it } from "vitest";
import { UnitCodes } from "../rules/hash-unit.ts";
import { isInPart, namespaceSalt } from "./namespace-part.ts";

const codes = new UnitCodes();

function isIn(unit: string, name: string, from: number, to: number): boolean {
  return isInPart({ name, from, to }, namespaceSalt(name), codes.of(unit));
}

it("isInPart() puts every unit into one of the parts that lie side by side", () => {
  const parts = [
    [0, 0.3],
    [0.3, 0.5],
    [0.5, 1],
  ] as const;
  const counts = new Set<number>();
  for (let i = 0; i < 10_000; i++) {
    counts.add(parts.filter(([from, to]) => isIn(`user-${i}`, "checkout", from, to)).length);
  }
  expect([...counts]).toEqual([1]);
});

it("isInPart() gives each part as many units as it is long", () => {
  let count = 0;
  for (let i = 0; i < 10_000; i++) if (isIn(`user-${i}`, "checkout", 0.2, 0.5)) count++;
  // Binomial: four standard deviations of 10,000 draws at 30 % are 183.
  expect(Math.abs(count - 3_000)).toBeLessThan(183);
});

it("isInPart() divides two namespaces independently of each other", () => {
  let both = 0;
  for (let i = 0; i < 10_000; i++) {
    if (isIn(`user-${i}`, "checkout", 0, 0.5) && isIn(`user-${i}`, "search", 0, 0.5)) both++;
  }
  // Four standard deviations of 10,000 draws at 25 % are 173.
  expect(Math.abs(both - 2_500)).toBeLessThan(173);
});

it.each([
  ["1", "namespace1", 0.4417],
  ["2", "namespace1", 0.1448],
  ["1", "namespace2", 0.421],
  ["user-7", "checkout", 0.3886],
])("isInPart() finds %s of %s at %d, for good", (unit, name, place) => {
  expect(isIn(unit, name, place - 0.00005, place + 0.00005)).toBe(true);
  expect(isIn(unit, name, 0, place - 0.00005)).toBe(false);
  expect(isIn(unit, name, place + 0.00005, 1)).toBe(false);
});
