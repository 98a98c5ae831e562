/**
 * Rows of equal weight that would tell as much: (Σw)² / Σw² (L. Kish, Survey Sampling, 1965). With all weights equal it
 * is their number.
 * @param weight Σw
 * @param weightSquares Σw²
 */
export function effectiveCount(weight: number, weightSquares: number): number {
  return weightSquares > 0 ? (weight * weight) / weightSquares : 0;
}
