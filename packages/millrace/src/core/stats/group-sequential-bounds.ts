import { crossingProbability } from "./crossing-probability.ts";

/**
 * `pocock`: the same bound at every look (S. J. Pocock, Biometrika 64, 1977). `obrien-fleming`: high bounds first, c·√(K/k)
 * at look k of K, so that the last one is near that of one look (P. C. O'Brien, T. R. Fleming, Biometrics 35, 1979).
 */
export type BoundShape = "pocock" | "obrien-fleming";

/** Above every bound that 10⁻¹⁵ asks for. */
const Z_MAX = 10;
const HALVINGS = 45;

/**
 * Bounds of |z| for looks at equal distances whose number is fixed before, two-sided.
 * @param looks at least 1; a hundred take a minute
 * @param alpha error probability over all of them, between 0 and 1
 */
export function groupSequentialBounds(shape: BoundShape, looks: number, alpha: number): number[] {
  const boundsOf = (last: number): number[] =>
    Array.from({ length: looks }, (_, k) =>
      shape === "pocock" ? last : last * Math.sqrt(looks / (k + 1)),
    );
  let low = 0;
  let high = Z_MAX;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (crossingProbability(boundsOf(middle)) > alpha) low = middle;
    else high = middle;
  }
  return boundsOf(high);
}
