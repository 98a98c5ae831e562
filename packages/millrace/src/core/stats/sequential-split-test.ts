import { logGamma } from "./log-gamma.ts";

/** Units of the arms while their weights were the same. */
export interface SplitCounts {
  /** Units of each arm. */
  readonly counts: readonly number[];
  /** Of each arm, in any unit. */
  readonly weights: readonly number[];
}

/** Of sound splits this share is ever called broken, however often one looks. */
export const SPLIT_P_MIN = 0.01;

/**
 * How near the weights the true shares may be thought to lie, from anywhere to within some 0.5 %: gross faults are found
 * after 20 units, small ones when there are a million.
 */
const CONCENTRATIONS = [2, 100, 10_000] as const;

/**
 * Sequential test of units against the weights of their arms: 1 divided by how much likelier the counts are with shares
 * that nobody knows than with the weights. Those shares have a Dirichlet distribution around the weights; the mean over
 * several concentrations is as valid as each (M. Lindon, A. Malek, Anytime-valid inference for multinomial count data,
 * NeurIPS 2022). Of phases, each with its own weights, the ratios multiply.
 * @returns p that may be looked at after each unit; 1 without units.
 */
export function sequentialSplitTest(phases: readonly SplitCounts[]): number {
  const ratios = CONCENTRATIONS.map((concentration) =>
    Math.exp(phases.reduce((sum, phase) => sum + logRatio(phase, concentration), 0)),
  );
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  return Math.min(1, 1 / mean);
}

/** ln of Γ(c)/Γ(c + n) · Π Γ(c·wᵢ + nᵢ)/(Γ(c·wᵢ)·wᵢ^nᵢ), of n units with shares wᵢ. */
function logRatio({ counts, weights }: SplitCounts, concentration: number): number {
  const weight = weights.reduce((sum, one) => sum + one, 0);
  const units = counts.reduce((sum, count) => sum + count, 0);
  let log = logGamma(concentration) - logGamma(concentration + units);
  for (const [arm, count] of counts.entries()) {
    if (count === 0) continue;
    const share = (weights[arm] ?? 0) / weight;
    if (!(share > 0)) return Infinity; // an arm that nobody should be in
    const prior = concentration * share;
    log += logGamma(prior + count) - logGamma(prior) - count * Math.log(share);
  }
  return log;
}
