import type {
  ArmReport,
  Decision,
  ExperimentAnalysis,
  SampleRatioReport,
} from "../core/experiment/experiment-report.ts";
import type { ExperimentStatus } from "../core/release/release-report.ts";
import { withoutControls } from "../core/without-controls.ts";
import { eventLines } from "./describe-events.ts";
import { metricPictures, metricTable } from "./describe-metrics.ts";
import { rampFacts, rampText } from "./describe-ramp.ts";
import { factLines, type FactLine } from "./fact-lines.ts";
import { countFigure, figure, percentFigure, pValueFigure, timeFigure } from "./figures.ts";
import { tableText } from "./table-text.ts";
import type { TerminalStyle } from "./terminal-style.ts";

/** An experiment as a person reads it: what is decided and why, where the ramp is, the numbers, a picture of them. */
export function describeExperiment(status: ExperimentStatus, style: TerminalStyle): string {
  const { analysis, control, events } = status;
  const parts = [block(factLines(experimentFacts(status), style.width))];
  if (analysis !== undefined) {
    parts.push(armTable(analysis.arms, style));
    parts.push(metricTable(analysis.metrics, control, style));
    // Its colors are our own, and all it names has been in the table.
    parts.push(pictures(analysis, style));
  }
  parts.push(block(eventLines(events, style.width)));
  return parts.filter((part) => part !== "").join("\n");
}

/** All experiments, one a line. */
export function describeExperiments(
  all: readonly ExperimentStatus[],
  { tableWidth: width }: TerminalStyle,
): string {
  if (all.length === 0) return "no experiment: traffic.experiment of a service makes one\n";
  const columns = ["experiment", "service", "state", "coverage", "decision"];
  const rows = all.map(({ name, service, ramp, coverage, analysis, isActive, winner }) => [
    name,
    service,
    ramp === undefined ? plainState(isActive, winner) : rampText(ramp),
    percentFigure(coverage),
    analysis === undefined ? "none yet" : decisionName(analysis.decision),
  ]);
  return tableText(
    columns.map((name) => ({ name, isRight: false })),
    rows,
    { width },
  );
}

function plainState(isActive: boolean, winner: string | undefined): string {
  if (winner !== undefined) return `${winner} gets all traffic`;
  return isActive ? "running" : "off";
}

function experimentFacts(status: ExperimentStatus): readonly FactLine[] {
  const { name, service, phase, arms, analysis, winner, isActive, problem } = status;
  const shown = arms.map(({ name: arm, to, weight }) => `${arm} → ${to} ${percentFigure(weight)}`);
  return [
    ["experiment", `${name} of service ${service}, phase ${phase}`],
    ["arms", shown.join(", ")],
    ["coverage", `${percentFigure(status.coverage)} of the units take part`],
    ["active", isActive ? undefined : "no: everyone gets the control arm"],
    ["winner", winner === undefined ? undefined : `${winner} gets all traffic`],
    ["decision", analysis === undefined ? "none yet" : decisionText(analysis.decision)],
    ["window", analysis === undefined ? undefined : windowText(analysis)],
    ["before", decidedText(status)],
    ["phases", analysis === undefined ? undefined : phasesText(analysis)],
    ...(analysis === undefined ? [] : splitFacts(analysis)),
    ...rampFacts(status.ramp, analysis?.decision.why),
    ["problem", problem],
  ];
}

/** What was decided when the numbers were others, and is in force maybe. */
function decidedText({ analysis, decided }: ExperimentStatus): string | undefined {
  if (decided === undefined || decided.computedAtMs === analysis?.computedAtMs) return undefined;
  return `${decisionText(decided.decision)}; ${windowText(decided)}`;
}

function decisionText(decision: Decision): string {
  return `${decisionName(decision)}: ${decision.why}`;
}

function decisionName(decision: Decision): string {
  switch (decision.kind) {
    case "ship":
      return `ship ${decision.arm}`;
    case "rollback":
      return "roll back";
    case "keep_running":
      return "keep running";
    case "inconclusive":
      return `inconclusive (${decision.reason.replaceAll("_", " ")})`;
  }
}

/** Which data the numbers are of. */
export function windowText(of: {
  readonly window: { readonly fromMs: number | undefined; readonly untilMs: number };
  readonly tookMs: number;
}): string {
  const { fromMs, untilMs } = of.window;
  const from = fromMs === undefined ? "no data" : `from ${timeFigure(fromMs)}`;
  return `${from} until ${timeFigure(untilMs)}, computed in ${figure(of.tookMs)} ms`;
}

function phasesText({ phases }: ExperimentAnalysis): string | undefined {
  return phases.length > 1 ? `${phases.join(", ")}, each by itself and then combined` : undefined;
}

/** Whether the units came as the weights say. */
function splitFacts({ sampleRatios, multipleExposures }: ExperimentAnalysis): readonly FactLine[] {
  const wrong = sampleRatios.filter(({ isMismatch }) => isMismatch);
  const shown = wrong.length > 0 ? wrong : sampleRatios.filter(({ of }) => of === "exposed");
  return [
    ...shown.map((ratio): FactLine => ["split", splitText(ratio)]),
    [
      "left out",
      multipleExposures === 0
        ? undefined
        : `${countFigure(multipleExposures)} units that were in several arms`,
    ],
  ];
}

/** With the p-value that decides, which holds for all looks together. */
function splitText(ratio: SampleRatioReport): string {
  const { of, counts, expected, sequentialPValue, isMismatch } = ratio;
  const found = counts.map(countFigure).join(" : ");
  const wanted = expected.map((count) => countFigure(Math.round(count))).join(" : ");
  const verdict = isMismatch ? "NOT as the weights say" : "as the weights say";
  return `${of} units ${found}, expected ${wanted} (p ${pValueFigure(sequentialPValue)}): ${verdict}`;
}

const ARM_COLUMNS = ["units", "predictions", "errors", "p50 ms", "p95 ms", "p99 ms", "weight"];

function armTable(arms: readonly ArmReport[], { tableWidth: width }: TerminalStyle): string {
  const columns = [
    { name: "arm", isRight: false },
    ...ARM_COLUMNS.map((name) => ({ name, isRight: true })),
  ];
  const rows = arms.map(({ arm, isControl, weight, units, predictions, errors, latencyMs }) => [
    isControl && arm !== "control" ? `${arm} (control)` : arm,
    countFigure(units),
    countFigure(predictions),
    predictions === 0 ? "" : percentFigure(errors / predictions),
    ...[latencyMs?.p50, latencyMs?.p95, latencyMs?.p99].map((ms) =>
      ms === undefined ? "" : figure(ms),
    ),
    percentFigure(weight),
  ]);
  return tableText(columns, rows, { width });
}

function pictures({ metrics }: ExperimentAnalysis, style: TerminalStyle): string {
  const lines = metricPictures(metrics, style);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function block(lines: readonly string[]): string {
  return lines.map((line) => `${withoutControls(line)}\n`).join("");
}
