/** Two samples of the same size. */
export interface MixtureSample {
  /** Mean of the arm less that of the control arm. */
  readonly difference: number;
  /** Of one unit of the control arm plus of one unit of the arm. */
  readonly variance: number;
  /** Units of each. */
  readonly count: number;
  /** Variance τ² of the differences that are looked for: the square of a usual effect, chosen before the first look. */
  readonly effectVariance: number;
}

/**
 * Likelihood ratio of a normal mixture of effects against none: √(V/(V + nτ²))·exp(n²τ²Δ²/(2V(V + nτ²)))
 * (R. Johari, P. Koomen, L. Pekelis, D. Walsh, Operations Research 70, 2022).
 * @returns 1 when nothing is known: no variance, or no units.
 */
export function mixtureRatio(sample: MixtureSample): number {
  const { difference, variance, count, effectVariance } = sample;
  if (!(variance > 0 && count > 0)) return 1;
  const spread = variance + count * effectVariance;
  const exponent = (count ** 2 * effectVariance * difference ** 2) / (2 * variance * spread);
  return Math.sqrt(variance / spread) * Math.exp(exponent);
}
