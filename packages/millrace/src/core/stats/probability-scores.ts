/** Probabilities are taken as at least this far from 0, or one wrong row of certainty would make a log loss infinite. */
export const PROBABILITY_MIN = 2 ** -52;

/** Log loss of one row: −ln of the probability that was given to what was true. */
export function logLossOf(probability: number): number {
  return -Math.log(Math.min(1 - PROBABILITY_MIN, Math.max(PROBABILITY_MIN, probability)));
}

/**
 * Brier score of one row (G. W. Brier, Monthly Weather Review 78, 1950): Σ(p − y)² over the classes, y being 1 for the true
 * one and 0 for the others; of two classes half of it, which is (p − y)² of either.
 */
export function brierOf(probabilities: readonly number[], actual: number): number {
  const sum = probabilities.reduce(
    (total, probability, index) => total + (probability - (index === actual ? 1 : 0)) ** 2,
    0,
  );
  return probabilities.length === 2 ? sum / 2 : sum;
}
