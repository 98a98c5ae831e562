/**
 * The value below which a share of the values lies, between two of them by a straight line: type 7 of R. J. Hyndman and
 * Y. Fan (The American Statistician 50, 1996), as numpy and DuckDB's `quantile_cont` have it.
 * @param ascending at least one.
 */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  const at = share * (ascending.length - 1);
  const below = Math.floor(at);
  const low = ascending[below] as number;
  const high = ascending[Math.min(below + 1, ascending.length - 1)] as number;
  return low + (at - below) * (high - low);
}
