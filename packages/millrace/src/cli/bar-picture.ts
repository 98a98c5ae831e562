interface BarOptions {
  readonly cells: number;
  readonly isUnicode: boolean;
  /** Place of a mark, 0 to 1; undefined has none. */
  readonly mark?: number;
}

/**
 * A bar that is filled to `share`, with a mark where it has to reach to:
 *
 *     █████████████│██░░░
 */
export function barPicture(share: number, { cells, isUnicode, mark }: BarOptions): string {
  const [full, empty, marked] = isUnicode ? ["█", "░", "│"] : ["#", ".", "|"];
  const filled = Math.round(Math.min(1, Math.max(0, share)) * cells);
  const line = (full as string).repeat(filled) + (empty as string).repeat(cells - filled);
  if (mark === undefined) return line;
  const place = Math.min(cells - 1, Math.max(0, Math.round(mark * cells)));
  return `${line.slice(0, place)}${marked ?? ""}${line.slice(place + 1)}`;
}
