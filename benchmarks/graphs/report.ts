import { machineLine, type Machine } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import type { Percentiles } from "../percentiles.ts";
import type { Target } from "../serving/targets.ts";
import type { Found } from "./limits.ts";
import type { LoadRow } from "./load-rows.ts";
import type { Plan } from "./plan.ts";

export interface GraphsReport {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly command: string;
  readonly plan: Plan;
  readonly limits: readonly Target[];
  readonly found: Found;
  /** Why numbers are to be doubted. */
  readonly cautions: readonly string[];
}

export function reportText(report: GraphsReport): string {
  const { machine, versions, command, cautions, limits } = report;
  const versionsText = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    "# What graphs, caches, rules and live changes cost",
    "",
    `Made by \`${command}\`: server on core 0, load on core 1, over 127.0.0.1; what is compared was measured in turn, in one run.`,
    "",
    `- Machine: ${machineLine(machine)}`,
    `- Versions: ${versionsText.join(", ")}`,
    ...cautions.map((caution) => `- **Caution**: ${caution}`),
    "",
    ...tableSection("Limits", ["what", "measured", "limit", ""], limits.map(limitCells)),
    ...sequenceSections(report),
    ...cacheSection(report),
    ...ruleSection(report),
    ...overrideSection(report),
    ...stepSection(report),
  ].join("\n");
}

function limitCells({ name, comparison, limit, unit, value, isMet }: Target): string[] {
  return [
    name,
    `${rounded(value)} ${unit}`,
    `${comparison} ${limit} ${unit}`,
    isMet ? "met" : "**missed**",
  ];
}

function sequenceSections({ found, plan }: GraphsReport): string[] {
  const { encoder, classifier, pair } = found.inProcess.sequence;
  const named = { encoder, classifier, "sequence of both": pair };
  const rows = Object.entries(named).map(([name, us]) => [name, ...percentileCells(us)]);
  const note = `Through the library, models inline, one call at a time; the ratio is the median of ${plan.rounds} rounds, each of its p50.`;
  return [
    ...tableSection("A sequence in process", ["call", "n", "p50 µs", "p99 µs"], rows, note),
    ...tableSection(
      "A sequence over HTTP",
      LOAD_HEAD,
      found.sequence.rows.map(loadCells),
      `One connection; the ratio is that of the mean times of an answer. Median of ${plan.loadRounds} runs of ${plan.loadMs / 1000} s.`,
    ),
  ];
}

function cacheSection({ found, plan }: GraphsReport): string[] {
  const note =
    `Every request has a body of its own making in the generator; those of misses differ in one number. ` +
    `Reading and hashing the body is part of hit and miss alike: with 602 kB (conv, binary) that is most of what a hit costs; ` +
    `colour-conv is the same network behind three numbers. Median of ${plan.loadRounds} runs of ${plan.loadMs / 1000} s.`;
  return tableSection("Prediction cache", LOAD_HEAD, found.cache.rows.map(loadCells), note);
}

function ruleSection({ found }: GraphsReport): string[] {
  const rows = found.inProcess.rules.map(({ matches, rules, us }) => [
    String(rules),
    matches,
    ...percentileCells(us),
  ]);
  const note =
    "`RuleSet.match` on header equals, header prefix, query equals, percent and time in five zones, 200 each; all are asked.";
  return tableSection("Rules", ["rules", "matches", "n", "p50 µs", "p99 µs"], rows, note);
}

function overrideSection({ found }: GraphsReport): string[] {
  const { processes, loadConnections, answersPerSecond, coreBusy, requests, failed } =
    found.override;
  const note =
    `\`PUT /api/v1/overrides/…\` while wrk asks \`millrace up\` with ${processes} processes over ${loadConnections} connections ` +
    `(${rounded(answersPerSecond)} answers/s, core ${rounded(coreBusy * 100)} % busy, limits off): ${failed} of ${requests} requests failed. ` +
    "Reached is when the new answer was seen over every one of the connections kept to each process.";
  const rows = [
    ["PUT answered", ...percentileCells(found.override.putMs), rounded(found.override.putMs.max)],
    [
      "all processes reached",
      ...percentileCells(found.override.reachMs),
      rounded(found.override.reachMs.max),
    ],
  ];
  return tableSection(
    "Live changes",
    ["from the start of the PUT", "n", "p50 ms", "p99 ms", "max ms"],
    rows,
    note,
  );
}

function stepSection({ found }: GraphsReport): string[] {
  const rows = found.inProcess.steps.map(({ step, call, byHandText, byHand }) => [
    step,
    ...percentileCells(call),
    byHandText ?? "–",
    ...(byHand === undefined ? ["–", "–"] : [rounded(byHand.p50), rounded(call.p50 - byHand.p50)]),
  ]);
  const head = ["service of one step", "n", "p50 µs", "p99 µs", "by hand", "its p50 µs", "adds µs"];
  const note =
    "Through the library, one call at a time, in one process with all its threads on one core. The first row is what any call costs; the remote server is on the other core.";
  return tableSection("Steps", head, rows, note);
}

const LOAD_HEAD = [
  "service",
  "connections",
  "body bytes",
  "n",
  "answers/s",
  "p50 ms",
  "p99 ms",
  "load's core %",
  "failed",
];

function loadCells(row: LoadRow): string[] {
  const { name, connections, bodyBytes, n, answersPerSecond, p50Ms, p99Ms } = row;
  const { generatorCpu, failed } = row;
  const counts = [connections, bodyBytes, n].map(rounded);
  return [
    name,
    ...counts,
    ...[answersPerSecond, p50Ms, p99Ms, generatorCpu * 100].map(rounded),
    String(failed),
  ];
}

function percentileCells({ n, p50, p99 }: Percentiles): string[] {
  return [rounded(n), rounded(p50), rounded(p99)];
}
