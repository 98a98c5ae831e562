/** A group of horizontal bars with one scale. */
export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** Value of a bar of full length; absent: the largest of the panel. */
  readonly fullValue?: number;
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** As written beside the bar. */
  readonly text: string;
  readonly isOurs: boolean;
}

const WIDTH = 960;
const MARGIN = 24;
const COLUMNS = 2;
const COLUMN_GAP = 40;
const COLUMN_WIDTH = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * COLUMN_GAP) / COLUMNS;
const LABEL_WIDTH = 130;
const VALUE_WIDTH = 80;
const BAR_MAX = COLUMN_WIDTH - LABEL_WIDTH - VALUE_WIDTH;
const BAR_STEP = 22;
const BAR_HEIGHT = 14;
const TITLE_HEIGHT = 30;
const PANEL_GAP = 22;
const HEAD_HEIGHT = 44;

/** Draws panels in two columns, filled row by row. @returns an SVG document, readable on light and dark pages. */
export function chartSvg(title: string, panels: readonly Panel[]): string {
  const rows = Array.from({ length: Math.ceil(panels.length / COLUMNS) }, (_, i) =>
    panels.slice(i * COLUMNS, (i + 1) * COLUMNS),
  );
  let top = MARGIN + HEAD_HEIGHT;
  const parts: string[] = [];
  for (const row of rows) {
    row.forEach((panel, column) => {
      parts.push(panelSvg(panel, MARGIN + column * (COLUMN_WIDTH + COLUMN_GAP), top));
    });
    top += Math.max(...row.map(heightOf)) + PANEL_GAP;
  }
  const height = top - PANEL_GAP + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(MARGIN, MARGIN + 18, title, 'font-size="18" font-weight="600" fill="#111827"'),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function heightOf({ bars }: Panel): number {
  return TITLE_HEIGHT + bars.length * BAR_STEP;
}

function panelSvg({ title, bars, fullValue }: Panel, left: number, top: number): string {
  const values = bars.map(({ value }) => (Number.isFinite(value) ? value : 0));
  const largest = Math.max(...values, fullValue ?? 0);
  const lines = bars.map((bar, i) => {
    const share = Number.isFinite(bar.value) && largest > 0 ? bar.value / largest : 0;
    const y = top + TITLE_HEIGHT + i * BAR_STEP;
    const width = Math.max(1, share * BAR_MAX);
    const barLeft = left + LABEL_WIDTH;
    const weight = bar.isOurs ? ' font-weight="600"' : "";
    return [
      text(barLeft - 8, y + 11, bar.label, `text-anchor="end" fill="#111827"${weight}`),
      `<rect x="${barLeft}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2" fill="${bar.isOurs ? "#0f766e" : "#9ca3af"}"/>`,
      text(barLeft + width + 6, y + 11, bar.text, `fill="#374151"${weight}`),
    ].join("\n");
  });
  return [text(left, top + 14, title, 'font-weight="600" fill="#111827"'), ...lines].join("\n");
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
