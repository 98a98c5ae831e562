/** How far a statistic of a series can be trusted. */
export interface JackknifeError {
  readonly standardError: number;
  /** Blocks less one. */
  readonly degrees: number;
}

/** More make the error hardly better known, and are shorter: 10 to 30 are usual (B. Schmeiser, Operations Research 30, 1982). */
const BLOCKS_MAX = 12;

/**
 * Standard error of any statistic of values that depend on their neighbours: it is computed again and again without one
 * block of them, √((g − 1)/g · Σ(θ₍ᵢ₎ − mean)²) for g blocks. Blocks that are long keep what depends on each other
 * together, and make it right for quantiles too, of which leaving out single values says nothing (J. Shao and C. F. J. Wu,
 * Annals of Statistics 17, 1989; H. R. Künsch, Annals of Statistics 17, 1989).
 *
 * @param count of values, at least 2.
 * @param lengthMin values of a block, at least 1; need not be whole.
 * @param statistic of all values but those from `from` to before `until`.
 */
export function blockJackknife(
  count: number,
  lengthMin: number,
  statistic: (from: number, until: number) => number,
): JackknifeError {
  const blocks = Math.max(2, Math.min(BLOCKS_MAX, Math.floor(count / lengthMin)));
  const edge = (block: number): number => Math.round((block * count) / blocks);
  const values = Array.from({ length: blocks }, (_, i) => statistic(edge(i), edge(i + 1)));
  const mean = values.reduce((sum, value) => sum + value, 0) / blocks;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { standardError: Math.sqrt(((blocks - 1) / blocks) * squares), degrees: blocks - 1 };
}
