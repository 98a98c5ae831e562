const NEAR = 0.1;
/** The series shrinks at least a hundredfold with each term. */
const TERMS_MAX = 20;

/**
 * x·ln(x/m) + m − x, without losing digits where x is near m (C. Loader, Fast and Accurate Computation of Binomial
 * Probabilities, 2000).
 * @param x above 0
 * @param m above 0
 */
export function deviance(x: number, m: number): number {
  const difference = x - m;
  if (Math.abs(difference) >= NEAR * (x + m)) return x * Math.log(x / m) - difference;
  const v = difference / (x + m);
  let sum = difference * v;
  let term = 2 * x * v;
  for (let j = 1; j <= TERMS_MAX; j++) {
    term *= v * v;
    const next = sum + term / (2 * j + 1);
    if (next === sum) break;
    sum = next;
  }
  return sum;
}
