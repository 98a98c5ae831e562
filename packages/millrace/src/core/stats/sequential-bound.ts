import type { Difference } from "./difference.ts";
import type { Interval } from "./interval.ts";
import { sequenceShape, type SequentialOptions } from "./sequence-shape.ts";

/**
 * One-sided confidence sequences: with the probability 1 − alpha the true difference lies above `low` at every look, and
 * with the same probability below `high`; both together with 1 − 2·alpha only. With N units, and ρ of `sequenceShape` for
 * 2·alpha:
 *
 * distance = standard error · √N · √(2(Nρ² + 1)/(N²ρ²) · ln(1 + √(Nρ² + 1)/(2α)))
 *
 * (I. Waudby-Smith et al., Annals of Statistics 52, 2024, on one-sided sequences.)
 * @returns no bounds (∓Infinity) when the standard error is 0.
 */
export function sequentialBound(difference: Difference, options: SequentialOptions): Interval {
  const { value, standardError, count } = difference;
  if (!(standardError > 0)) return { low: -Infinity, high: Infinity };
  const rhoSquared = sequenceShape({ ...options, alpha: 2 * options.alpha }) ** 2;
  const spread = count * rhoSquared + 1;
  const log = Math.log1p(Math.sqrt(spread) / (2 * options.alpha));
  const distance = standardError * Math.sqrt((2 * spread * log) / (count * rhoSquared));
  return { low: value - distance, high: value + distance };
}
