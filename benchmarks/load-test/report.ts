import { machineLine, type Machine } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { medianOf } from "../percentiles.ts";
import { COMMANDS, type GeneratorResult } from "./generators.ts";
import type { Scene } from "./plan.ts";

export interface SceneResult {
  readonly scene: Scene;
  /** By generator, one for each round. */
  readonly results: Readonly<Record<string, readonly GeneratorResult[]>>;
}

export interface LoadTestReport {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly command: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly scenes: readonly SceneResult[];
  /** Why numbers are to be doubted. */
  readonly cautions: readonly string[];
}

const OURS = "millrace load";

export function reportText(report: LoadTestReport): string {
  const { machine, versions, command, rounds, seconds, scenes, cautions } = report;
  const versionsText = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const names = [...new Set(scenes.flatMap(({ scene }) => scene.generators))];
  return [
    "# Does `millrace load` find what other generators find?",
    "",
    `Made by \`${command}\`: ${rounds} rounds of ${seconds} s, each generator in turn against a server of its own; medians of the rounds. Server on core 0, generator on core 1, over 127.0.0.1. Ours opens more connections where requests would wait for one; the others queue.`,
    "",
    `- Machine: ${machineLine(machine)}`,
    `- Versions: ${versionsText.join(", ")}`,
    ...cautions.map((caution) => `- **Caution**: ${caution}`),
    "",
    ...scenes.flatMap(sceneTable),
    ...tableSection("The generator itself", OWN_HEAD, scenes.flatMap(ownCells)),
    "## Commands",
    "",
    ...names.map((name) => `- ${name}: \`${COMMANDS[name]}\``),
    "",
  ].join("\n");
}

function sceneTable({ scene, results }: SceneResult): string[] {
  const ours = figuresOf(results[OURS] ?? []);
  const rows = scene.generators.map((name) => {
    const { perSecond, p50Ms, p99Ms, failed } = figuresOf(results[name] ?? []);
    const against = (value: number, own: number): string =>
      name === OURS ? "" : `${((own / value - 1) * 100).toFixed(1)} %`;
    return [
      name,
      rounded(perSecond),
      p50Ms.toFixed(3),
      against(p50Ms, ours.p50Ms),
      p99Ms.toFixed(3),
      against(p99Ms, ours.p99Ms),
      String(failed),
    ];
  });
  const head = ["generator", "200/s", "p50 ms", "ours to it", "p99 ms", "ours to it", "failed"];
  return tableSection(scene.title, head, rows, scene.isOverload ? OVERLOAD_NOTE : undefined);
}

const OVERLOAD_NOTE =
  "A tool that waits for an answer before it sends the next request, or counts from the send, does not see how long its requests waited to be sent.";

function figuresOf(results: readonly GeneratorResult[]): GeneratorResult {
  const median = (of: (result: GeneratorResult) => number): number => medianOf(results.map(of));
  return {
    perSecond: median(({ perSecond }) => perSecond),
    p50Ms: median(({ p50Ms }) => p50Ms),
    p99Ms: median(({ p99Ms }) => p99Ms),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
  };
}

const OWN_HEAD = [
  "scene",
  "lag p50 ms",
  "lag p99 ms",
  "of each round",
  "CPU",
  "from the send: p50 ms",
  "p99 ms",
  "valid",
];

function ownCells({ scene, results }: SceneResult): string[][] {
  const own = (results[OURS] ?? []).flatMap((result) => result.own ?? []);
  if (own.length === 0) return [];
  const median = (of: (facts: (typeof own)[number]) => number): number => medianOf(own.map(of));
  return [
    [
      scene.title,
      median(({ lagP50Ms }) => lagP50Ms).toFixed(3),
      median(({ lagP99Ms }) => lagP99Ms).toFixed(3),
      own.map(({ lagP99Ms }) => lagP99Ms.toFixed(2)).join(", "),
      `${(median(({ cpu }) => cpu) * 100).toFixed(0)} %`,
      median(({ serviceP50Ms }) => serviceP50Ms).toFixed(3),
      median(({ serviceP99Ms }) => serviceP99Ms).toFixed(3),
      `${own.filter(({ isValid }) => isValid).length} of ${own.length}`,
    ],
  ];
}
