/** Sums over rows of one arm, each with the weight w = 1/probability of the arm when it was given, and the outcome y. */
export interface PropensitySums {
  /** Σw */
  readonly weight: number;
  /** Σwy */
  readonly sum: number;
  /** Σw² */
  readonly weightSquares: number;
  /** Σw²y */
  readonly weightedSum: number;
  /** Σw²y² */
  readonly weightedSquares: number;
}

export interface PropensityMean {
  readonly value: number;
  readonly standardError: number;
}

/**
 * The mean of an arm whose share changed while it ran: rows count as 1/propensity (J. Hájek, 1971), Σwy/Σw with the
 * standard error √Σw²(y − mean)² / Σw. A plain mean would lean towards the times at which the arm got much.
 * @returns undefined without rows.
 */
export function propensityMean(sums: PropensitySums): PropensityMean | undefined {
  const { weight, sum, weightSquares, weightedSum, weightedSquares } = sums;
  if (!(weight > 0)) return undefined;
  const value = sum / weight;
  const squares = weightedSquares - 2 * value * weightedSum + value * value * weightSquares;
  return { value, standardError: Math.sqrt(Math.max(0, squares)) / weight };
}
