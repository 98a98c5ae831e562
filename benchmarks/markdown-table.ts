/** A section with a table that also reads well in a terminal; nothing without rows. */
export function tableSection(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  note?: string,
): string[] {
  if (rows.length === 0) return [];
  const widths = head.map((cell, i) =>
    Math.max(3, cell.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  const intro = note === undefined ? [] : [note, ""];
  return [`## ${title}`, "", ...intro, line(head), line(rule), ...rows.map(line), ""];
}

/** Three digits are as many as a measurement deserves; thousands are whole. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value) && value < 1000) return String(value);
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
