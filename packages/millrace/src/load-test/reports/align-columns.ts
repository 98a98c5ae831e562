/** Spaces between the widest cell of a column and the next one. */
const PADDING = 2;

/**
 * Lines whose cells end in tabs, in columns: a column goes on as long as line after line has a cell in it, and is as wide as
 * the widest of these. What stands behind a line's last tab is in no column. This is how Go's tabwriter does it, as vegeta
 * uses it.
 */
export function alignColumns(lines: readonly string[]): string {
  const rows = lines.map((line) => line.split("\t"));
  const widths = rows.map((cells) => new Array<number>(cells.length - 1).fill(-1));
  rows.forEach((cells, row) => {
    for (let column = 0; column < cells.length - 1; column++) {
      if (widths[row]?.[column] === -1) setWidths(rows, widths, row, column);
    }
  });
  return rows.map((cells, row) => `${padded(cells, widths[row] ?? [])}\n`).join("");
}

/** Of the column that begins at a cell. */
function setWidths(
  rows: readonly (readonly string[])[],
  widths: readonly number[][],
  first: number,
  column: number,
): void {
  let end = first;
  let width = 0;
  for (; column < (rows[end]?.length ?? 0) - 1; end++) {
    width = Math.max(width, lengthOf(rows[end]?.[column] ?? ""));
  }
  for (let row = first; row < end; row++) (widths[row] as number[])[column] = width + PADDING;
}

function padded(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell))))
    .join("");
}

/** In code points: `µ` is one, and so is what takes two UTF-16 units. */
function lengthOf(cell: string): number {
  let length = 0;
  for (const _ of cell) length++;
  return length;
}
