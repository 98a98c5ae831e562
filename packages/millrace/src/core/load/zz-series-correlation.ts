/** Nothing that varies at all resembles its neighbour more: what is known of its mean would be nothing. */
const CORRELATION_MAX = 0.99;

/** Means of so few show no correlation. */
const MEANS_MIN = 8;

/**
 * How far the values of a series resemble the next one, as the coefficient of a first-order autoregression. What a short
 * series shows of it is too little by (1 + 3r)/n (M. G. Kendall, Biometrika 41, 1954), which is made good.
 *
 * Values that scatter by themselves hide what they have in common; means of 2, 4, … of them show it, and count where they
 * show more than chance makes of nothing (one standard error, 1/√n).
 *
 * @param values at least 2.
 * @returns from 0 (they do not, or they alternate) to 0.99.
 */
export function seriesCorrelation(values: readonly number[]): number {
  let found = correctedFor(shownBy(values), values.length);
  let means = pairMeans(values);
  for (let length = 2; means.length >= MEANS_MIN; length *= 2) {
    const shown = shownBy(means);
    if (shown > 1 / Math.sqrt(means.length)) {
      found = Math.max(found, correctedFor(shown, means.length) ** (1 / length));
    }
    means = pairMeans(means);
  }
  return found;
}

function correctedFor(shown: number, count: number): number {
  return Math.min(CORRELATION_MAX, Math.max(0, shown + (1 + 3 * shown) / count));
}

/** Σ(xᵢ − m)(xᵢ₊₁ − m) / Σ(xᵢ − m)²; 0 where nothing varies. */
function shownBy(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let products = 0;
  let squares = 0;
  for (const [i, value] of values.entries()) {
    squares += (value - mean) ** 2;
    if (i > 0) products += (value - mean) * ((values[i - 1] as number) - mean);
  }
  return squares > 0 ? products / squares : 0;
}

/** The last value is left out where they are odd. */
function pairMeans(values: readonly number[]): readonly number[] {
  return Array.from(
    { length: Math.floor(values.length / 2) },
    (_, i) => ((values[2 * i] as number) + (values[2 * i + 1] as number)) / 2,
  );
}
