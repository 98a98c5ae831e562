/**
 * P-values corrected for their number: calling those below q a discovery makes at most the share q of discoveries false
 * (Y. Benjamini, Y. Hochberg, JRSS B 57, 1995). With p₍₁₎ ≤ … ≤ p₍ₘ₎: the least of m·p₍ⱼ₎/j over j ≥ i. It does not stand in
 * for sequential testing: it corrects for many metrics, not for many looks.
 * @returns in the order given.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const adjusted = new Array<number>(pValues.length).fill(1);
  let least = 1;
  const descending = pValues.map((p, at) => ({ p, at })).toSorted((a, b) => b.p - a.p);
  descending.forEach(({ p, at }, i) => {
    least = Math.min(least, p * (pValues.length / (pValues.length - i)));
    adjusted[at] = least;
  });
  return adjusted;
}
