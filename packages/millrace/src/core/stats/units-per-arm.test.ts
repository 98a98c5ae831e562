import { expect, it } from "vitest";
import { normalCdf } from "./normal-cdf.ts";
import { proportionSummary } from "./proportion-summary.ts";
import { unitsPerArm } from "./units-per-arm.ts";

it.each([
  [0.1, 0.12, 3839],
  [0.02, 0.025, 13807],
  [0.05, 0.055, 31231],
  [0.99, 0.985, 7747],
])("unitsPerArm() from %d to %d is %d", (from, to, units) => {
  const control = proportionSummary(1_000 * from, 1_000);
  const arm = proportionSummary(1_000 * to, 1_000);
  expect(unitsPerArm({ control, arm })).toBe(units);
});

it("unitsPerArm() gives the power that was asked for", () => {
  const control = { mean: 10, variance: 25 };
  const arm = { mean: 10.5, variance: 30 };
  const units = unitsPerArm({ control, arm, alpha: 0.01, power: 0.9 });
  const powerOf = (count: number): number => normalCdf(0.5 / Math.sqrt(55 / count) - 2.5758293);
  expect(powerOf(units)).toBeGreaterThanOrEqual(0.9);
  expect(powerOf(units - 1)).toBeLessThan(0.9);
});

it("unitsPerArm() never finds an effect that is not there", () => {
  const same = { mean: 1, variance: 1 };
  expect(unitsPerArm({ control: same, arm: same })).toBe(Infinity);
});
