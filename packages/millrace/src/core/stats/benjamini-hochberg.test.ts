import { expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { benjaminiHochberg } from "./benjamini-hochberg.ts";
import { holm } from "./holm.ts";

const P_VALUES = [
  0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275,
  0.34,
];
const BH = [
  0.015, 0.06, 0.126, 0.126, 0.126, 0.15, 0.158571, 0.294643, 0.294643, 0.294643, 0.294643,
  0.294643, 0.294643, 0.294643, 0.34,
];
const HOLM = [0.015, 0.112, 0.507, 0.507, 0.507, 0.6, 0.666, 1, 1, 1, 1, 1, 1, 1, 1];

it.each([
  ["benjaminiHochberg", benjaminiHochberg, BH],
  ["holm", holm, HOLM],
] as const)("%s() corrects fifteen p-values", (_name, correct, wanted) => {
  correct(P_VALUES).forEach((p, i) => expect(p).toBeCloseTo(wanted[i] ?? NaN, 6));
});

it.each([
  ["benjaminiHochberg", benjaminiHochberg],
  ["holm", holm],
] as const)(
  "%s() answers in the order given, never below the p-value, never above 1",
  (_name, correct) => {
    const random = new TestRandom(5);
    for (let run = 0; run < 100; run++) {
      const values = Array.from({ length: 1 + random.below(20) }, () => random.next() ** 3);
      const found = correct(values);
      const order = values.map((_, i) => i).toSorted((a, b) => values[a]! - values[b]!);
      const ordered = order.map((i) => found[i]!);
      expect(ordered).toEqual(ordered.toSorted((a, b) => a - b));
      found.forEach((p, i) => {
        expect(p).toBeGreaterThanOrEqual(values[i]!);
        expect(p).toBeLessThanOrEqual(1);
      });
    }
  },
);

it("benjaminiHochberg() and holm() leave one p-value as it is, and none", () => {
  expect([benjaminiHochberg([0.03]), holm([0.03])]).toEqual([[0.03], [0.03]]);
  expect([benjaminiHochberg([]), holm([])]).toEqual([[], []]);
});
