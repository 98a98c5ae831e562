import type { Difference } from "./difference.ts";
import { sequenceShape, type SequentialOptions } from "./sequence-shape.ts";
import { SAYS_NOTHING, type TestResult } from "./test-result.ts";

/**
 * An asymptotic confidence sequence: with the probability 1 − alpha the interval holds the true difference at every look,
 * however often one looks and whenever one stops. With N units, ρ of `sequenceShape`, z = value/standard error:
 *
 * half width = standard error · √N · √(2(Nρ² + 1)/(N²ρ²) · ln(√(Nρ² + 1)/α))
 * p = min(1, √(Nρ² + 1) / exp(ρ²z²N / (2(Nρ² + 1))))
 *
 * (I. Waudby-Smith et al., Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 52,
 * 2024.) Near N = `unitsTuned` it is some 1.5 times as wide as an interval for one look.
 * @returns an interval without ends, and 1, when the standard error is 0.
 */
export function sequentialTest(difference: Difference, options: SequentialOptions): TestResult {
  const { value, standardError, count } = difference;
  if (!(standardError > 0)) return SAYS_NOTHING;
  const rhoSquared = sequenceShape(options) ** 2;
  const spread = count * rhoSquared + 1;
  const factor = (2 * spread * Math.log(Math.sqrt(spread) / options.alpha)) / (count * rhoSquared);
  const half = standardError * Math.sqrt(factor);
  const z = value / standardError;
  const evidence = Math.exp((rhoSquared * z * z * count) / (2 * spread)) / Math.sqrt(spread);
  return {
    interval: { low: value - half, high: value + half },
    pValue: Math.min(1, 1 / evidence),
  };
}
