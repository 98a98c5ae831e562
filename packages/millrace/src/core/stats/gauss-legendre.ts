/** Points and weights for integrals from −1 to 1. */
export interface QuadratureRule {
  readonly points: Float64Array;
  readonly weights: Float64Array;
}

/** Newton's method doubles the digits with each step. */
const STEPS = 8;

/**
 * The Gauss–Legendre rule, exact for polynomials up to the power 2·count − 1: zeros of the Legendre polynomial Pₙ, with
 * the weights 2/((1 − x²)·Pₙ′(x)²).
 * @param count of points, at least 1
 */
export function gaussLegendre(count: number): QuadratureRule {
  const points = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    for (let step = 0; step < STEPS; step++) {
      const { value, slope } = legendre(count, x);
      x -= value / slope;
    }
    points[i] = x;
    weights[i] = 2 / ((1 - x * x) * legendre(count, x).slope ** 2);
  }
  return { points, weights };
}

/** By the recurrence (k + 1)·Pₖ₊₁ = (2k + 1)·x·Pₖ − k·Pₖ₋₁. */
function legendre(n: number, x: number): { readonly value: number; readonly slope: number } {
  let before = 0;
  let value = 1;
  for (let k = 0; k < n; k++) {
    const next = ((2 * k + 1) * x * value - k * before) / (k + 1);
    before = value;
    value = next;
  }
  return { value, slope: (n * (before - x * value)) / (1 - x * x) };
}
