import { regularizedGammaUpper } from "./regularized-gamma.ts";

/**
 * Probability that a chi-squared variable lies above `statistic`, to about 13 digits.
 * @param statistic at least 0
 * @param degrees of freedom, above 0
 */
export function chiSquaredSurvival(statistic: number, degrees: number): number {
  return regularizedGammaUpper(degrees / 2, statistic / 2);
}
