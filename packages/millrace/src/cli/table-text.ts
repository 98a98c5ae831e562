export interface TableColumn {
  readonly name: string;
  /** Numbers stand right, so that their digits are below each other. */
  readonly isRight: boolean;
}

export interface TableOptions {
  /** Characters of a line; Infinity leaves nothing out. */
  readonly width: number;
}

/** A longer cell is cut where lines have a width. */
const CELL_CHARACTERS_MAX = 60;

const GAP = "  ";

/**
 * Rows as aligned text: a head, a line below it, one line a row. What does not fit the width is left out from the right,
 * and a last line says what.
 */
export function tableText(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  { width }: TableOptions,
): string {
  const cells = rows.map((row) => row.map((cell) => shorten(oneLine(cell), width)));
  const widths = columns.map(({ name }, index) =>
    cells.reduce((most, row) => Math.max(most, lengthOf(row[index] ?? "")), lengthOf(name)),
  );
  const shown = countThatFit(widths, width);
  const lineOf = (texts: readonly string[]): string =>
    widths
      .slice(0, shown)
      .map((length, index) => pad(texts[index] ?? "", length, columns[index]?.isRight === true))
      .join(GAP)
      .trimEnd();
  const lines = [
    lineOf(columns.map(({ name }) => name)),
    lineOf(widths.map((length) => "-".repeat(length))),
    ...cells.map(lineOf),
  ];
  if (shown < columns.length) {
    const left = columns.slice(shown).map(({ name }) => name);
    lines.push(`${left.length} columns do not fit: ${shorten(left.join(", "), width)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** At least one. */
function countThatFit(widths: readonly number[], width: number): number {
  let used = 0;
  const tooMany = widths.findIndex((length, index) => {
    used += length + (index === 0 ? 0 : GAP.length);
    return used > width;
  });
  return tooMany < 0 ? widths.length : Math.max(1, tooMany);
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) =>
    character === "\n" ? "\\n" : character === "\t" ? "\\t" : "�",
  );
}

function shorten(text: string, width: number): string {
  const most = Math.min(CELL_CHARACTERS_MAX, width);
  if (width === Infinity || lengthOf(text) <= most) return text;
  return `${Array.from(text)
    .slice(0, most - 1)
    .join("")}…`;
}

function pad(text: string, length: number, isRight: boolean): string {
  const blanks = " ".repeat(Math.max(0, length - lengthOf(text)));
  return isRight ? blanks + text : text + blanks;
}

/** Characters, not the halves of them that a string counts. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}
