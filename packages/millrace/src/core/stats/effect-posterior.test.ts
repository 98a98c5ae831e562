import { expect, it } from "vitest";
import type { Difference } from "./difference.ts";
import { effectPosterior } from "./effect-posterior.ts";
import { proportionSummary } from "./proportion-summary.ts";
import { relativeDifference } from "./relative-difference.ts";
import { summaryOf } from "./sample-summary.ts";

it("effectPosterior() of two proportions has the chance and the risks", () => {
  const control = proportionSummary(49, 100);
  const difference = relativeDifference(control, proportionSummary(51, 100)) as Difference;
  const found = effectPosterior(difference);
  expect(difference.value).toBeCloseTo(0.04082, 5);
  expect(found?.interval.low).toBeCloseTo(-0.24779, 5);
  expect(found?.interval.high).toBeCloseTo(0.32943, 5);
  expect(found?.chance).toBeCloseTo(0.60918, 5);
  expect(found?.risk.control).toBeCloseTo(0.0814, 5);
  expect(found?.risk.arm).toBeCloseTo(0.04058, 5);
});

it("effectPosterior() of two means has the chance", () => {
  const control = summaryOf({ sum: 100, squares: 1002.25, count: 10 });
  const arm = summaryOf({ sum: 105, squares: 1111.5, count: 10 });
  const difference = relativeDifference(control, arm) as Difference;
  const found = effectPosterior(difference);
  expect(difference.value).toBeCloseTo(0.05, 10);
  expect(found?.interval.low).toBeCloseTo(-0.02, 4);
  expect(found?.interval.high).toBeCloseTo(0.12, 4);
  expect(found?.chance).toBeCloseTo(0.91923, 5);
});

it("effectPosterior() has risks whose difference is the effect, and mirrors", () => {
  const there: Difference = { value: 0.3, standardError: 0.2, degrees: 9, count: 11 };
  const found = effectPosterior(there);
  const back = effectPosterior({ ...there, value: -0.3 });
  if (found === undefined || back === undefined) throw new Error("There is no posterior");
  expect(found.risk.control - found.risk.arm).toBeCloseTo(0.3, 14);
  expect(back.risk.arm).toBeCloseTo(found.risk.control, 14);
  expect(back.chance).toBeCloseTo(1 - found.chance, 14);
  expect(effectPosterior({ ...there, standardError: 0 })).toBeUndefined();
});
