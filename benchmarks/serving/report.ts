import { machineLine, type Machine } from "../machine.ts";
import { percentilesOf, type Percentiles } from "../percentiles.ts";
import type { LatencyRow } from "./measure-latency.ts";
import type { MemoryRow } from "./measure-memory.ts";
import type { StartResult } from "./measure-start.ts";
import type { ThroughputRow, WrkRow } from "./measure-throughput.ts";

export interface Target {
  readonly name: string;
  /** With its unit. */
  readonly limit: string;
  readonly value: string;
  readonly isMet: boolean;
}

/** Everything one run found; this is what `results/serving.json` holds. */
export interface ServingReport {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly isPinned: boolean;
  readonly start?: StartResult;
  readonly memory?: readonly MemoryRow[];
  readonly latency?: readonly LatencyRow[];
  readonly throughput?: readonly ThroughputRow[];
  readonly wrk?: WrkRow;
  readonly targets: readonly Target[];
  /** Why numbers are missing or no evidence. */
  readonly faults: readonly string[];
}

export type Measurements = Pick<
  ServingReport,
  "start" | "memory" | "latency" | "throughput" | "wrk"
>;

export function targetsOf({ start, memory, latency, throughput }: Measurements): Target[] {
  const targets: Target[] = [];
  const atMost = (name: string, value: number, limit: number, unit: string): void => {
    targets.push({
      name,
      limit: `≤ ${limit} ${unit}`,
      value: `${rounded(value)} ${unit}`,
      isMet: value <= limit,
    });
  };
  if (start !== undefined) atMost("start to ready, median", start.readyMs.p50, 700, "ms");
  for (const command of ["serve", "up"] as const) {
    const rows = memory?.filter((row) => row.command === command && row.role === "serve process");
    if (rows === undefined) continue;
    const largest = Math.max(...rows.map((row) => row.mib.pss));
    atMost(`memory of a serve process, ${command}, largest PSS`, largest, 130, "MiB");
  }
  const slow = latency?.find((row) => row.server === "millrace" && row.requestsPerSecond === 100);
  if (slow !== undefined) {
    atMost("latency at 100 requests/s, p50", slow.run.latencyMs.p50, 0.6, "ms");
    atMost("latency at 100 requests/s, p99", slow.run.latencyMs.p99, 2, "ms");
  }
  const ratio = throughput === undefined ? undefined : ratioAt(throughput, 64);
  if (ratio !== undefined) {
    targets.push({
      name: "throughput at 64 connections by FastAPI's",
      limit: "≥ 2 ×",
      value: `${ratio.toFixed(2)} ×`,
      isMet: ratio >= 2,
    });
  }
  return targets;
}

/** @returns Millrace's answers a second by FastAPI's, from the medians; undefined without both. */
function ratioAt(rows: readonly ThroughputRow[], connections: number): number | undefined {
  const [ours, theirs] = (["millrace", "fastapi"] as const).map((server) =>
    rows.find((row) => row.server === server && row.connections === connections),
  );
  if (ours === undefined || theirs === undefined) return undefined;
  return medianOf(ours.okPerSecond) / medianOf(theirs.okPerSecond);
}

/** The report as Markdown: tables that also read well in a terminal. */
export function reportText(report: ServingReport): string {
  const { machine, versions, isPinned } = report;
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    "# Serving",
    "",
    "Made by `npm run bench`; what each number means is in [the README](../README.md).",
    "",
    `- Machine: ${machineLine(machine)}`,
    `- Versions: ${names.join(", ")}`,
    `- Pinned: ${isPinned ? "server with all its processes on core 0, generator on core 1" : "no"}`,
    "- Model: examples/models/iris_svc.onnx, 4 floats in, 3 out; one thread everywhere",
    ...report.faults.map((fault) => `- **Caution**: ${fault}`),
    "",
    ...section("Targets", ["target", "limit", "measured", ""], targetCells(report.targets)),
    ...section("Start, ms from spawn", ["until", ...PERCENTILES], startCells(report.start)),
    ...section(
      "Memory, MiB",
      ["command", "process", "moment", "PSS", "private dirty", "RSS"],
      memoryCells(report.memory),
    ),
    ...section(
      "Latency, open loop, ms from the moment a request was due",
      ["server", "requests/s", ...PERCENTILES, "CPU µs/request", "lag p99", "dropped"],
      latencyCells(report.latency),
    ),
    ...section(
      "Throughput, closed loop, answers a second and latency in ms",
      [
        "connections",
        "server",
        "answers/s",
        "least to most",
        ...PERCENTILES,
        "CPU µs/request",
        "×",
      ],
      throughputCells(report.throughput),
    ),
    ...section(
      "Generators at the widest load, answers a second",
      ["connections", "server", "ours", "wrk", "ours / wrk"],
      wrkCells(report),
    ),
  ].join("\n");
}

const PERCENTILES = ["n", "p50", "p95", "p99", "max"];

function targetCells(targets: readonly Target[]): string[][] {
  return targets.map(({ name, limit, value, isMet }) => [
    name,
    limit,
    value,
    isMet ? "met" : "**missed**",
  ]);
}

function startCells(start: StartResult | undefined): string[][] {
  if (start === undefined) return [];
  return [
    ["first 200 on /v2/health/ready", ...percentileCells(start.readyMs)],
    ["first prediction", ...percentileCells(start.predictionMs)],
  ];
}

function memoryCells(rows: readonly MemoryRow[] = []): string[][] {
  return rows.map(({ command, role, moment, mib }) => [
    command,
    role,
    moment,
    rounded(mib.pss),
    rounded(mib.privateDirty),
    rounded(mib.rss),
  ]);
}

function latencyCells(rows: readonly LatencyRow[] = []): string[][] {
  return rows.map(({ server, requestsPerSecond, run }) => [
    server,
    String(requestsPerSecond),
    ...percentileCells(run.latencyMs),
    rounded(run.serverCpuUs),
    rounded(run.lagMs.p99),
    String(run.droppedStarts),
  ]);
}

function throughputCells(rows: readonly ThroughputRow[] = []): string[][] {
  return rows.map(({ server, connections, okPerSecond, run }) => {
    const ratio = server === "millrace" ? ratioAt(rows, connections) : undefined;
    return [
      String(connections),
      server,
      Math.round(medianOf(okPerSecond)).toString(),
      `${Math.round(Math.min(...okPerSecond))} to ${Math.round(Math.max(...okPerSecond))}`,
      ...percentileCells(run.latencyMs),
      rounded(run.serverCpuUs),
      ratio === undefined ? "" : ratio.toFixed(2),
    ];
  });
}

function wrkCells({ wrk, throughput }: ServingReport): string[][] {
  const ours = throughput?.find(
    (row) => row.server === wrk?.server && row.connections === wrk.connections,
  );
  if (wrk === undefined || ours === undefined) return [];
  const [own, other] = [medianOf(ours.okPerSecond), medianOf(wrk.okPerSecond)];
  return [
    [
      String(wrk.connections),
      wrk.server,
      Math.round(own).toString(),
      Math.round(other).toString(),
      (own / other).toFixed(2),
    ],
  ];
}

function percentileCells({ n, p50, p95, p99, max }: Percentiles): string[] {
  return [String(n), ...[p50, p95, p99, max].map(rounded)];
}

function section(title: string, head: readonly string[], rows: readonly string[][]): string[] {
  if (rows.length === 0) return [];
  const widths = head.map((cell, i) =>
    Math.max(3, cell.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [`## ${title}`, "", line(head), line(rule), ...rows.map(line), ""];
}

function medianOf(values: readonly number[]): number {
  return percentilesOf(values).p50;
}

/** Three digits are as many as a measurement deserves. */
function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
