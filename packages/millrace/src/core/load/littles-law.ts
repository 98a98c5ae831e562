import type { LittlesLaw, StepOutcome } from "./capacity.ts";

/** Share by which the two sides may differ, where the samples are good enough to see it. */
const TOLERANCE = 0.05;

/** Standard errors of the sampled side that chance explains. */
const ERRORS = 2;

/** Requests: counts are whole, and of evenly spaced arrivals every sample sees the same phase. */
const COUNT_ERROR = 1;

type Sampled = Pick<StepOutcome, "underWayMean" | "underWayError" | "sentRate" | "serviceMeanMs">;

/**
 * Little's law of steps at one rate: on average L = λ · W requests are under way, λ sent a second for W seconds each,
 * whatever their distribution (J. D. C. Little, Operations Research 9, 1961). L is sampled while the steps run, λ and W
 * come from the results: when the two sides differ, results were lost, counted twice or timed wrongly.
 *
 * @returns all 0, and that it holds, where nothing was sent.
 */
export function littlesLaw(steps: readonly Sampled[]): LittlesLaw {
  const count = Math.max(1, steps.length);
  const total = (of: (step: Sampled) => number): number =>
    steps.reduce((sum, step) => sum + of(step), 0) / count;
  const underWay = total(({ underWayMean }) => underWayMean);
  const product = total(({ sentRate, serviceMeanMs }) => (sentRate * serviceMeanMs) / 1000);
  const error = Math.sqrt(total(({ underWayError }) => underWayError ** 2) / count);
  const ratio = product > 0 ? underWay / product : underWay > 0 ? 0 : 1;
  const chance = Math.max(ERRORS * error, COUNT_ERROR);
  const tolerance = product > 0 ? Math.max(TOLERANCE, chance / product) : TOLERANCE;
  return {
    under_way: underWay,
    rate_times_latency: product,
    ratio,
    tolerance,
    holds: Math.abs(ratio - 1) <= tolerance,
  };
}
