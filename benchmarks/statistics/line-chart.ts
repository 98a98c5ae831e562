/** Lines over one scale each way. */
export interface LinePanel {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** First and last are the ends of the scale. */
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly lines: readonly ChartLine[];
  /** Drawn across, grey. */
  readonly mark?: { readonly y: number; readonly text: string };
}

interface ChartLine {
  /** The same name has the same look in every panel. */
  readonly name: string;
  /** Those without a y are left out. */
  readonly points: readonly (readonly [x: number, y: number | null | undefined])[];
}

/** Distinct for colour-blind eyes, on light and dark ground; dashes tell lines apart that lie on each other. */
const LOOKS = [
  { color: "#e5383b", dash: "" },
  { color: "#0a84c6", dash: "8 3" },
  { color: "#d97706", dash: "6 3" },
  { color: "#7c6ae6", dash: "7 2 2 2" },
  { color: "#129a72", dash: "3 2" },
] as const;

const WIDTH = 940;
const PANEL = { width: 370, height: 190 } as const;
const LEFT_PX = [70, 545] as const;
const TOP_PX = 92;
const ROW_PX = 280;
/** Mean width of a letter, more than enough for most fonts. */
const LETTER_PX = 6.8;

/** Draws panels in two columns, filled row by row. @returns an SVG document, readable on light and dark pages. */
export function lineChart(title: string, panels: readonly LinePanel[]): string {
  const rows = Math.ceil(panels.length / LEFT_PX.length);
  const height = TOP_PX + rows * ROW_PX - 20;
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px }
.ground { fill: #ffffff }
.grid { stroke: #d8dee4 }
.end { text-anchor: end }
.mid { text-anchor: middle }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ground { fill: #0d1117 }
  .grid { stroke: #30363d }
}
</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>`,
    text(LEFT_PX[0], 26, title, "title"),
    legendOf(names),
    ...panels.map((panel, i) =>
      panelOf(panel, names, {
        left: LEFT_PX[i % LEFT_PX.length]!,
        top: TOP_PX + Math.floor(i / LEFT_PX.length) * ROW_PX,
      }),
    ),
    "</svg>",
    "",
  ].join("\n");
}

function legendOf(names: readonly string[]): string {
  let x: number = LEFT_PX[0];
  return names
    .map((name, i) => {
      const entry = `${path(i, `M${x} 46h30`)}${text(x + 36, 50, name)}`;
      x += 60 + name.length * LETTER_PX;
      return entry;
    })
    .join("\n");
}

interface Place {
  readonly left: number;
  readonly top: number;
}

function panelOf(panel: LinePanel, names: readonly string[], { left, top }: Place): string {
  const bottom = top + PANEL.height;
  const xOf = (x: number): number => left + PANEL.width * shareOf(x, panel.xTicks);
  const yOf = (y: number): number => bottom - PANEL.height * shareOf(y, panel.yTicks);
  const grid = panel.yTicks.map(
    (tick) =>
      `<path class="grid" d="M${left} ${yOf(tick).toFixed(1)}h${PANEL.width}"/>${text(left - 6, yOf(tick) + 4, tick.toLocaleString("en-US"), "end")}`,
  );
  const ticks = panel.xTicks.map((tick) =>
    text(xOf(tick), bottom + 16, tick.toLocaleString("en-US"), "mid"),
  );
  const lines = panel.lines.map(({ name, points }) => {
    const places = points
      .filter((point): point is readonly [number, number] => typeof point[1] === "number")
      .map(([x, y]) => `${xOf(x).toFixed(1)} ${yOf(y).toFixed(1)}`);
    return path(names.indexOf(name), `M${places.join("L")}`);
  });
  return [
    text(left, top - 14, panel.title, "title"),
    ...grid,
    ...ticks,
    text(left + PANEL.width / 2, bottom + 34, panel.xLabel, "mid"),
    `<text class="mid" transform="translate(${left - 56} ${top + PANEL.height / 2}) rotate(-90)">${escaped(panel.yLabel)}</text>`,
    ...(panel.mark === undefined ? [] : [markOf(panel.mark, left, yOf(panel.mark.y))]),
    ...lines,
  ].join("\n");
}

function markOf(mark: { readonly text: string }, left: number, y: number): string {
  const right = left + PANEL.width;
  return `<path d="M${left} ${y.toFixed(1)}H${right}" stroke="#8a8a8a" stroke-width="1.5"/>${text(right, y - 4, mark.text, "end")}`;
}

function shareOf(value: number, ticks: readonly number[]): number {
  const first = ticks[0]!;
  return Math.min(1, Math.max(0, (value - first) / (ticks.at(-1)! - first)));
}

function path(look: number, d: string): string {
  const { color, dash } = LOOKS[look % LOOKS.length]!;
  const dashes = dash === "" ? "" : ` stroke-dasharray="${dash}"`;
  return `<path d="${d}" fill="none" stroke="${color}" stroke-width="2.2"${dashes} stroke-linejoin="round"/>`;
}

function text(x: number, y: number, content: string, name = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${name}">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
