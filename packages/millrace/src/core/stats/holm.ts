/**
 * P-values corrected for their number: calling those below α a discovery makes any false one with probability α at most
 * (S. Holm, Scandinavian Journal of Statistics 6, 1979). With p₍₁₎ ≤ … ≤ p₍ₘ₎: the greatest of (m − j + 1)·p₍ⱼ₎ over j ≤ i.
 * @returns in the order given.
 */
export function holm(pValues: readonly number[]): number[] {
  const adjusted = new Array<number>(pValues.length).fill(1);
  let greatest = 0;
  const ascending = pValues.map((p, at) => ({ p, at })).toSorted((a, b) => a.p - b.p);
  ascending.forEach(({ p, at }, i) => {
    greatest = Math.max(greatest, Math.min(1, p * (pValues.length - i)));
    adjusted[at] = greatest;
  });
  return adjusted;
}
