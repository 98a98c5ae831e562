/** The last values in three parts of equal length, at least three values; what does not divide is left out at the begin. */
export function thirdsOf<T>(
  values: readonly T[],
): readonly [readonly T[], readonly T[], readonly T[]] {
  const length = Math.floor(values.length / 3);
  const from = values.length - 3 * length;
  return [0, 1, 2].map((part) =>
    values.slice(from + part * length, from + (part + 1) * length),
  ) as unknown as readonly [readonly T[], readonly T[], readonly T[]];
}
