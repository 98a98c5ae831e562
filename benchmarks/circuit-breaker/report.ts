import { chartSvg, type Bar } from "../bar-chart.ts";
import { machineLine, type Machine } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import type { LoadResult } from "../serving/generator/load-plan.ts";
import type { Target } from "../serving/targets.ts";
import type { OverrunRow } from "./measure-overrun.ts";
import type { Plan, Service } from "./plan.ts";

export interface CircuitBreakerReport {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly command: string;
  readonly plan: Plan;
  readonly targets: readonly Target[];
  readonly rows: readonly OverrunRow[];
  /** Why numbers are to be doubted. */
  readonly cautions: readonly string[];
}

const WHAT: Readonly<Record<Service, string>> = {
  unlimited: "no limits, timeout 2 min",
  defaults: "no setting at all: timeout 2 s",
  objective: "`slo: { latencyP99: 200ms }`",
};

export function reportText(report: CircuitBreakerReport): string {
  const { machine, versions, command, plan, targets, rows, cautions } = report;
  const versionsText = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const load = `${plan.requestsPerSecond} requests/s for ${plan.durationMs / 1000} s, whatever the answers do`;
  return [
    "# What a service does with more requests than it can answer",
    "",
    `Made by \`${command}\`: ${load}; server on core 0, load on core 1, over 127.0.0.1. The model takes about 2 ms a run and is not batched.`,
    "",
    `- Machine: ${machineLine(machine)}`,
    `- Versions: ${versionsText.join(", ")}`,
    ...cautions.map((caution) => `- **Caution**: ${caution}`),
    "",
    ...tableSection("Limits", ["what", "measured", "limit", ""], targets.map(targetCells)),
    ...tableSection(
      "Answers",
      [
        "service",
        "200",
        "503",
        "other",
        "none",
        "200/s",
        "200 p50 ms",
        "200 p99 ms",
        "503 p99 ms",
        "recovery ms",
      ],
      rows.map(rowCells),
      "Latency from the moment a request was due. `none` had no answer a minute after the load. Recovery: from the end of the load to the first of ten answers in a row within 100 ms.",
    ),
    "For comparison, the published run of this scenario (Istio's limits before three replicas): 200: 7,828, 503: 2,172, p99 1.42 s; without them p99 about 30 s.",
    "",
  ].join("\n");
}

function targetCells({ name, comparison, limit, unit, value, isMet }: Target): string[] {
  return [
    name,
    `${rounded(value)} ${unit}`,
    `${comparison} ${limit} ${unit}`,
    isMet ? "met" : "**missed**",
  ];
}

function rowCells({ service, load, recoveryMs }: OverrunRow): string[] {
  const { ok, refused, missed, abandoned, unanswered, okPerSecond } = load;
  const none = missed + abandoned + unanswered;
  return [
    WHAT[service],
    ...[ok, refused].map(String),
    otherText(load),
    String(none),
    ...[okPerSecond, load.latencyMs.p50, load.latencyMs.p99, load.refusedMs.p99, recoveryMs].map(
      rounded,
    ),
  ];
}

/** `15 (504: 13, broken: 2)` */
function otherText({ failed, statuses }: LoadResult): string {
  if (failed === 0) return "0";
  const others = Object.entries(statuses).filter(([status]) => !ANSWERS.has(status));
  const answered = others.reduce((sum, [, count]) => sum + count, 0);
  const all = [...others, ["broken", failed - answered] as const];
  return `${failed} (${all.map(([what, count]) => `${what}: ${count}`).join(", ")})`;
}

const ANSWERS: ReadonlySet<string> = new Set(["200", "429", "503"]);

/** How long those wait who get an answer, and how long until all is as before. */
export function reportPicture({ plan, rows }: CircuitBreakerReport): string {
  const bars = (valueOf: (row: OverrunRow) => number): Bar[] =>
    rows.map((row) => {
      const value = valueOf(row);
      const label = WHAT[row.service].replaceAll("`", "");
      return { label, value, text: `${rounded(value)} ms`, isOurs: row.service !== "unlimited" };
    });
  const title = `${plan.requestsPerSecond} requests/s against a model that can do about half`;
  return chartSvg(title, [
    { title: "answers 200, p99", bars: bars(({ load }) => load.latencyMs.p99) },
    { title: "recovery after the load", bars: bars(({ recoveryMs }) => recoveryMs) },
  ]);
}
