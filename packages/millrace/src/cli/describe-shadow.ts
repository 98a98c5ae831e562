import type { ShadowStatus } from "../core/release/release-report.ts";
import type { LatencyReport, ShadowAnalysis } from "../core/shadow/shadow-report.ts";
import { withoutControls } from "../core/without-controls.ts";
import { barPicture } from "./bar-picture.ts";
import { eventLines } from "./describe-events.ts";
import { windowText } from "./describe-experiment.ts";
import { factLines, type FactLine } from "./fact-lines.ts";
import { countFigure, figure, percentFigure, pointsFigure, signedFigure } from "./figures.ts";
import { tableText } from "./table-text.ts";
import type { TerminalStyle } from "./terminal-style.ts";

const CELLS_MAX = 40;

/** Of labels and figures beside a bar. */
const BESIDE_BAR = 38;

/** A shadow as a person reads it: its verdict and why, what it was held against, a picture of it. */
export function describeShadow(status: ShadowStatus, style: TerminalStyle): string {
  const { analysis, events } = status;
  const parts = [factLines(shadowFacts(status), style.width)];
  if (analysis !== undefined) {
    parts.push(pictureLines(status, analysis, style), differenceLines(analysis));
  }
  parts.push(eventLines(events, style.width));
  const shown = parts.filter((lines) => lines.length > 0);
  return shown
    .map((lines) => lines.map((line) => `${withoutControls(line)}\n`).join(""))
    .join("\n");
}

/** All shadows, one a line. */
export function describeShadows(
  all: readonly ShadowStatus[],
  { tableWidth: width }: TerminalStyle,
): string {
  if (all.length === 0) return "no shadow: traffic.shadow of a service makes one\n";
  const columns = ["shadow", "service", "to", "share", "state", "verdict"];
  const rows = all.map(({ name, service, to, share, isExcluded, analysis }) => [
    name,
    service,
    to,
    percentFigure(share),
    isExcluded ? "excluded" : "running",
    analysis === undefined ? "none yet" : verdictText(analysis),
  ]);
  return tableText(
    columns.map((name) => ({ name, isRight: false })),
    rows,
    { width },
  );
}

function verdictText({ verdict }: ShadowAnalysis): string {
  return `${verdict.kind}: ${verdict.why}`;
}

function shadowFacts(status: ShadowStatus): readonly FactLine[] {
  const { name, service, to, share, compare, isExcluded, skipped, analysis, problem } = status;
  const left = Object.entries(skipped).filter(([, count]) => count > 0);
  return [
    ["shadow", `${name} of service ${service}`],
    ["copies", `${percentFigure(share)} of the requests → ${to}, compared by ${compare}`],
    ["state", isExcluded ? "excluded: it gets nothing" : "running"],
    ["verdict", analysis === undefined ? "none yet" : verdictText(analysis)],
    ...(analysis === undefined ? [] : analysisFacts(analysis, status.required)),
    ["left out", left.map(([reason, count]) => `${reason} ${countFigure(count)}`).join(", ")],
    ["problem", problem],
  ];
}

function analysisFacts(
  analysis: ShadowAnalysis,
  required: ShadowStatus["required"],
): readonly FactLine[] {
  const { model, digest, pairs, compared, agreed, agreement, errors, errorDifference } = analysis;
  return [
    ["window", windowText(analysis)],
    ["model", [model, digest && `digest ${digest.slice(0, 16)}`].filter(Boolean).join("  ")],
    [
      "pairs",
      `${countFigure(pairs)} of at least ${countFigure(required.pairsMin)}: ${countFigure(compared)} compared, ${countFigure(agreed)} agreed`,
    ],
    [
      "agreement",
      agreement &&
        `${percentFigure(agreement.value)} (${percentFigure(agreement.low)} … ${percentFigure(agreement.high)}), at least ${percentFigure(required.agreementMin)} wanted`,
    ],
    [
      "errors",
      `shadow ${countFigure(errors.shadow)}, answers ${countFigure(errors.primary)}${
        errorDifference === undefined
          ? ""
          : `: ${pointsFigure(errorDifference.value)} (at most ${pointsFigure(errorDifference.high)}), at most ${pointsFigure(required.errorDifferenceMax)} allowed`
      }`,
    ],
    ["latency", latencyText(analysis, required)],
  ];
}

function latencyText(
  { latencyRatio, latencyDifferenceMs: difference }: ShadowAnalysis,
  { latencyRatioMax }: ShadowStatus["required"],
): string | undefined {
  if (latencyRatio === undefined) return undefined;
  const mean =
    difference === undefined
      ? ""
      : `; on average ${signedFigure(difference.value)} ms (${signedFigure(difference.low)} … ${signedFigure(difference.high)})`;
  return `99th percentile ${figure(latencyRatio)} times that of the answers, at most ${figure(latencyRatioMax)} allowed${mean}`;
}

/** The agreement on an axis that its target is on too, and the latencies beside each other. */
function pictureLines(
  { required }: ShadowStatus,
  { agreement, latencyMs }: ShadowAnalysis,
  style: TerminalStyle,
): readonly string[] {
  const cells = Math.max(10, Math.min(CELLS_MAX, style.width - BESIDE_BAR));
  const { isUnicode } = style;
  const lines: string[] = [];
  if (agreement !== undefined) {
    // Of a bar that begins at 0 nobody could tell 99 % from 99.9 %.
    const from = Math.max(0, 1 - 2 * Math.max(1 - required.agreementMin, 1 - agreement.low, 0.005));
    const place = (share: number): number => (share - from) / (1 - from);
    const mark = place(required.agreementMin);
    const bar = barPicture(place(agreement.value), { cells, isUnicode, mark });
    lines.push(`agreement   ${percentFigure(from).padStart(9)} ${bar} 100 %`);
    const under = `${percentFigure(required.agreementMin)} wanted`;
    lines.push(`${" ".repeat(22 + Math.round(mark * cells))}${isUnicode ? "└" : "^"} ${under}`);
  }
  if (latencyMs === undefined) return lines;
  const { primary, shadow } = latencyMs;
  const most = Math.max(primary.p99, shadow.p99) || 1;
  for (const quantile of ["p50", "p95", "p99"] satisfies (keyof LatencyReport)[]) {
    const row = (who: string, head: string, of: LatencyReport): string => {
      const bar = barPicture(of[quantile] / most, { cells, isUnicode });
      return `${head.padEnd(11)} ${who.padStart(9)} ${bar} ${figure(of[quantile])} ms`;
    };
    lines.push(row("answers", quantile, primary), row("shadow", "", shadow));
  }
  return lines;
}

function differenceLines({ differences }: ShadowAnalysis): readonly string[] {
  if (differences.length === 0) return [];
  const rows = differences.map(
    ({ detail, count }) => `  ${countFigure(count).padStart(7)}  ${detail}`,
  );
  return ["differences, the most frequent first", ...rows];
}
