/** Are these the same classes in the same order? */
export function hasSameLabels(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): boolean {
  if (a === b) return true;
  return a !== undefined && a.length === b?.length && a.every((label, i) => label === b[i]);
}
