import { expect, it } from "vitest";
import { recommendedLimits } from "./recommended-limits.ts";

it("recommendedLimits() are λ·W rounded up, 80 % and 70 % of the rate", () => {
  expect(recommendedLimits(1000, 18.9)).toEqual({
    concurrency: 19,
    rate: 800,
    autoscale_target: 700,
  });
});

it("recommendedLimits() let at least one request in, and are 0 where no rate was found", () => {
  expect(recommendedLimits(10, 0.5).concurrency).toBe(1);
  expect(recommendedLimits(0, 5)).toEqual({ concurrency: 0, rate: 0, autoscale_target: 0 });
});
