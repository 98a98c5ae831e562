/** Of terms; the fractions of this folder need some √(largest parameter). */
const TERMS_MAX = 1_000_000;
const TINY = 1e-300;
const EPSILON = 2 ** -52;

/** One numerator and one denominator. */
export interface FractionTerm {
  above: number;
  below: number;
}

/**
 * b₀ + a₁/(b₁ + a₂/(b₂ + …)), by the modified algorithm of Lentz (W. J. Lentz, Applied Optics 15, 1976; I. J. Thompson and
 * A. R. Barnett, 1986).
 * @param first b₀
 * @param write fills in aₙ and bₙ, n from 1
 * @returns NaN when it does not converge.
 */
export function continuedFraction(
  first: number,
  write: (term: FractionTerm, n: number) => void,
): number {
  const term: FractionTerm = { above: 0, below: 0 };
  let value = first === 0 ? TINY : first;
  let c = value;
  let d = 0;
  for (let n = 1; n <= TERMS_MAX; n++) {
    write(term, n);
    d = 1 / awayFromZero(term.below + term.above * d);
    c = awayFromZero(term.below + term.above / c);
    const factor = c * d;
    value *= factor;
    if (Math.abs(factor - 1) <= EPSILON) return value;
  }
  return NaN;
}

function awayFromZero(x: number): number {
  return Math.abs(x) < TINY ? TINY : x;
}
