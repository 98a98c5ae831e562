import { LOADS, SERIES, type Cell, type Series } from "./cells.ts";
import { POLICY_NAMES, type PolicyName } from "./policies.ts";
import type { Outcome } from "./simulate.ts";

/** Distinct for colour-blind eyes, on light and dark ground; dashes tell lines apart that lie on each other. */
const LINES: Readonly<Record<PolicyName, { readonly color: string; readonly dash: string }>> = {
  "batch 1": { color: "#8a8a8a", dash: "2 3" },
  greedy: { color: "#0a84c6", dash: "8 3" },
  "window 2 ms": { color: "#d97706", dash: "6 3" },
  "window 10 ms": { color: "#b45309", dash: "2 2" },
  trim: { color: "#c0469b", dash: "4 3" },
  CORK: { color: "#7c6ae6", dash: "7 2 2 2" },
  "early drop": { color: "#129a72", dash: "3 2" },
  Millrace: { color: "#e5383b", dash: "" },
};

const WIDTH = 940;
const PANEL = { width: 370, height: 170 } as const;
const LEFT_PX = [70, 545] as const;
const TOP_PX = 92;
const ROW_PX = 245;

interface Axis {
  readonly label: string;
  readonly ticks: readonly number[];
  /** 0 at the bottom, 1 at the top. */
  readonly share: (value: number) => number;
  readonly value: (outcome: Outcome) => number;
}

const GOODPUT: Axis = {
  label: "goodput, % of offered",
  ticks: [0, 25, 50, 75, 100],
  share: (percent) => percent / 100,
  value: ({ goodputPercent }) => goodputPercent,
};

const P99_MS_MIN = 0.4;
const P99_MS_MAX = 20_000;

const P99: Axis = {
  label: "p99 of answered, ms (log)",
  ticks: [1, 10, 100, 1000, 10_000],
  share: (ms) => Math.log(ms / P99_MS_MIN) / Math.log(P99_MS_MAX / P99_MS_MIN),
  value: ({ p99Ms }) => p99Ms,
};

/** Goodput and p99 against load, a row for each series. */
export function drawPicture(cells: readonly Cell[]): string {
  const height = TOP_PX + SERIES.length * ROW_PX;
  const panels = SERIES.flatMap((series, i) => {
    const own = cells.filter(
      (cell) => cell.model.name === series.model.name && cell.arrivals === series.arrivals,
    );
    const topPx = TOP_PX + i * ROW_PX;
    return [
      text(LEFT_PX[0], topPx - 14, titleOf(series), "title"),
      panel(own, GOODPUT, LEFT_PX[0], topPx),
      panel(own, P99, LEFT_PX[1], topPx),
      objectiveLine(series, topPx),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Goodput and p99 latency of batching policies against load">`,
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
    legend(),
    ...panels,
    "</svg>",
    "",
  ].join("\n");
}

function titleOf({ model, arrivals }: Series): string {
  return `${model.name} model, ${arrivals} arrivals, objective ${model.sloMs} ms`;
}

function legend(): string {
  return POLICY_NAMES.map((name, i) => {
    const x = LEFT_PX[0] + (i % 4) * 210;
    const y = 24 + Math.floor(i / 4) * 20;
    return `${line(name, `M${x} ${y - 4}h34`)}${text(x + 42, y, name)}`;
  }).join("\n");
}

function panel(cells: readonly Cell[], axis: Axis, left: number, top: number): string {
  const bottom = top + PANEL.height;
  const grid = axis.ticks.map((tick) => {
    const y = (bottom - axis.share(tick) * PANEL.height).toFixed(1);
    return `<path class="grid" d="M${left} ${y}h${PANEL.width}"/>${text(left - 6, Number(y) + 4, String(tick), "end")}`;
  });
  const loads = LOADS.map((load) => text(xOf(load, left), bottom + 16, String(load), "mid"));
  // Ours is the wide line at the bottom, so that those that lie on it are seen.
  const lines = POLICY_NAMES.toReversed().map((name) => {
    const points = cells.map((cell) => {
      const share = Math.min(1, Math.max(0, axis.share(axis.value(cell.outcomes[name]))));
      return `${xOf(cell.load, left).toFixed(1)} ${(bottom - share * PANEL.height).toFixed(1)}`;
    });
    return line(name, `M${points.join("L")}`);
  });
  const middle = top + PANEL.height / 2;
  return [
    ...grid,
    ...loads,
    text(left + PANEL.width / 2, bottom + 33, "offered load, 1 = capacity of full batches", "mid"),
    `<text class="mid" transform="translate(${left - 52} ${middle}) rotate(-90)">${axis.label}</text>`,
    ...lines,
  ].join("\n");
}

function objectiveLine({ model }: Series, top: number): string {
  const y = top + (1 - P99.share(model.sloMs)) * PANEL.height;
  const right = LEFT_PX[1] + PANEL.width;
  return `<path d="M${LEFT_PX[1]} ${y.toFixed(1)}H${right}" stroke="#8a8a8a" stroke-width="1.5"/>${text(LEFT_PX[1] + 4, y - 4, "objective")}`;
}

/** Loads stand side by side at equal distances: what matters happens around 1. */
function xOf(load: number, left: number): number {
  const index = LOADS.findIndex((other) => other === load);
  return left + ((index + 0.5) / LOADS.length) * PANEL.width;
}

function line(name: PolicyName, path: string): string {
  const { color, dash } = LINES[name];
  const width = name === "Millrace" ? 5 : 1.7;
  const dashes = dash === "" ? "" : ` stroke-dasharray="${dash}"`;
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="${width}"${dashes} stroke-linejoin="round"/>`;
}

function text(x: number, y: number, content: string, name = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${name}">${content}</text>`;
}
