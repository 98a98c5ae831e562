/** Nothing that varies at all resembles its neighbour more: what is known of its mean would be nothing. */
const CORRELATION_MAX = 0.99;

/**
 * How far the values of a series resemble the next one, as the coefficient of a first-order autoregression. What a short
 * series shows of it is too little by (1 + 3r)/n (M. G. Kendall, Biometrika 41, 1954), which is made good.
 *
 * @param values at least 2.
 * @returns from 0 (they do not, or they alternate) to 0.99.
 */
export function seriesCorrelation(values: readonly number[]): number {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  let products = 0;
  let squares = 0;
  for (const [i, value] of values.entries()) {
    const next = values[i + 1];
    if (next !== undefined) products += (value - mean) * (next - mean);
    squares += (value - mean) ** 2;
  }
  if (!(squares > 0)) return 0;
  const shown = products / squares;
  return Math.min(CORRELATION_MAX, Math.max(0, shown + (1 + 3 * shown) / count));
}
