import { machineLine, type Machine } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { medianOf, type Percentiles } from "../percentiles.ts";
import { CLIENT_RULES, type ClientRule } from "./measure-overload.ts";
import type { Measurements } from "./measurements.ts";
import { PEERS } from "./peers/peers.ts";
import { GRPC_IN_FLIGHT, IMAGE_CONNECTIONS, SUSTAINED_RATE, type Plan } from "./plan.ts";
import {
  addedP99Ms,
  groupBy,
  latencyOf,
  overloadOf,
  runtimeP99Ms,
  runtimeRowsPerSecond,
  throughputOf,
  type LatencySummary,
  type OverloadSummary,
} from "./summary.ts";
import type { Target } from "./targets.ts";
import { OVERLOAD_MODELS } from "./workloads.ts";

/** Everything one run found; this is what `results/serving.json` holds. */
export interface ServingReport {
  readonly machine: Machine;
  /** What was typed. */
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  /** The exact command of every server and model. */
  readonly commands: Readonly<Record<string, string>>;
  readonly isPinned: boolean;
  readonly plan: Plan;
  readonly found: Measurements;
  readonly targets: readonly Target[];
  /** Why numbers are missing or no evidence. */
  readonly faults: readonly Fault[];
}

export interface Fault {
  readonly text: string;
  /** The run it met; undefined when it is about all of them. */
  readonly run?: string;
}

/** The report as Markdown. */
export function reportText(report: ServingReport): string {
  const { machine, versions, isPinned, found, plan } = report;
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    "# Serving",
    "",
    `Made by \`${report.command}\`; what each number means is in [the README](../README.md).`,
    "",
    `- Machine: ${machineLine(machine)}`,
    `- Versions: ${names.join(", ")}`,
    `- Pinned: ${isPinned ? "server with all its processes on core 0, generator on core 1" : "no"}`,
    `- Medians of ${plan.repetitions} runs; one thread computes everywhere; answers were compared before timing`,
    ...faultLines(report.faults).map((fault) => `- **Caution**: ${fault}`),
    "",
    ...tableSection(
      "Targets",
      ["target", "limit", "measured", ""],
      report.targets.map(targetCells),
    ),
    ...tableSection(
      "The bare runtime",
      ["model", "rows in a run", "rows/s", "p50 ms", "p99 ms"],
      runtimeCells(found),
      "onnxruntime in a loop on the server's core: the ceiling of every server here.",
    ),
    ...throughputSection("iris, JSON: answers a second, closed loop", found, "iris"),
    ...latencySection(found, plan),
    ...tableSection(
      `iris at ${SUSTAINED_RATE} requests/s for ${plan.sustained.durationMs / 1000} s, open loop, ms`,
      ["server", "n", "p50", "p95", "p99"],
      latencyOf(found.sustained, "iris").map((row) => [label(row.server), ...latencyCells(row)]),
    ),
    ...OVERLOAD_MODELS.flatMap((model) => overloadSections(found, model)),
    ...throughputSection(
      "mlp512, JSON of 512 floats: answers a second, closed loop",
      found,
      "mlp512",
    ),
    ...convSection(found),
    ...halfSection(found),
    ...grpcSection(found),
    ...startAndMemorySection(found),
    ...tableSection(
      "Changes under load",
      ["what", "count", "requests", "failed"],
      found.reload.map((row) => [row.what, ...[row.count, row.requests, row.failed].map(String)]),
    ),
  ].join("\n");
}

/** One line for each kind of fault, with the runs it met; the JSON has every one. */
export function faultLines(faults: readonly Fault[]): string[] {
  const kind = ({ text }: Fault): string => text.replaceAll(/[\d.,]+/g, "#");
  return groupBy(faults, kind).map((group) => {
    const [{ text, run } = { text: "", run: undefined }] = group;
    if (run === undefined) return text;
    const runs = group.slice(0, RUNS_SHOWN_MAX).map((fault) => fault.run);
    const more = group.length - runs.length;
    return `${text} (${runs.join("; ")}${more > 0 ? `; and ${more} more` : ""})`;
  });
}

/** Runs named for one kind of fault; all of them are in the JSON. */
const RUNS_SHOWN_MAX = 4;

export function label(server: string): string {
  return PEERS.find(({ name }) => name === server)?.label ?? server;
}

function targetCells({ name, comparison, limit, unit, value, isMet }: Target): string[] {
  const verdict = isMet ? "met" : "**missed**";
  return [name, `${comparison} ${limit} ${unit}`, `${rounded(value)} ${unit}`, verdict];
}

function runtimeCells(found: Measurements): string[][] {
  return groupBy(found.runtime, (row) => `${row.model} ${row.batch}`).map((group) => {
    const [{ model, batch } = { model: "", batch: 0 }] = group;
    const at = (pick: (ms: Percentiles) => number): string =>
      rounded(medianOf(group.map((row) => pick(row.runMs))));
    const rows = rounded(runtimeRowsPerSecond(found, model, batch));
    return [model, String(batch), rows, at((ms) => ms.p50), at((ms) => ms.p99)];
  });
}

function throughputSection(title: string, found: Measurements, model: string): string[] {
  const rows = throughputOf(found.throughput, model);
  const all = [...new Set(rows.map(({ connections }) => connections))];
  const widest = Math.max(...all);
  const cells = groupBy(rows, ({ server }) => server).map((group) => {
    const at = (connections: number): (typeof rows)[number] | undefined =>
      group.find((row) => row.connections === connections);
    const last = at(widest);
    return [
      label(group[0]?.server ?? ""),
      ...all.map((connections) => rounded(at(connections)?.answersPerSecond ?? NaN)),
      `${rounded(last?.least ?? NaN)} to ${rounded(last?.most ?? NaN)}`,
      `${rounded(last?.p50Ms ?? NaN)} / ${rounded(last?.p99Ms ?? NaN)}`,
      rounded(last?.cpuUs ?? NaN),
    ];
  });
  const atWidest = ["least to most", "p50 / p99 ms", "CPU µs/answer"];
  const head = ["server", ...all.map(String), ...atWidest.map((name) => `${name} at ${widest}`)];
  return tableSection(`${title}, by connections`, head, cells);
}

function latencySection(found: Measurements, plan: Plan): string[] {
  const rows = latencyOf(found.latency, "iris");
  const cells = groupBy(rows, ({ server }) => server).map((group) => [
    label(group[0]?.server ?? ""),
    ...plan.rates.map((rate) => {
      const row = group.find(({ requestsPerSecond }) => requestsPerSecond === rate);
      return `${rounded(row?.p50Ms ?? NaN)} / ${rounded(row?.p99Ms ?? NaN)}`;
    }),
  ]);
  return tableSection(
    "iris, open loop: p50 / p99 in ms from the moment a request was due, by requests a second",
    ["server", ...plan.rates.map(String)],
    cells,
  );
}

function overloadSections(found: Measurements, model: string): string[] {
  const rows = overloadOf(found.overload, model);
  const rules = Object.keys(CLIENT_RULES) as ClientRule[];
  const cells = groupBy(rows, ({ server }) => server).map((group) => [
    label(group[0]?.server ?? ""),
    rounded(group[0]?.capacityPerSecond ?? NaN),
    ...rules.map((rule) => goodputCell(group.find((row) => row.rule === rule))),
  ]);
  const details = rows.map((row) => [
    label(row.server),
    row.rule,
    rounded(row.okP50Ms),
    percent(row.refusedShare),
    rounded(row.refusedP99Ms),
    percent(row.resetShare),
    Number.isFinite(row.recoveryMs) ? rounded(row.recoveryMs) : "> 15,000",
    rounded(row.lagP99Ms),
    percent(row.generatorBusy),
  ]);
  return [
    ...tableSection(
      `Twice its own capacity (${model}, open loop): answers 200 within 100 ms, as a share of the capacity`,
      ["server", "capacity/s", ...rules.map((rule) => `client ${rule}`)],
      cells,
      "A star marks runs in which the generator was at its own limit: with a faster one the server may do better.",
    ),
    ...tableSection(
      `What happened at twice the capacity (${model})`,
      [
        "server",
        "client",
        "200s p50 ms",
        "refused",
        "refused p99 ms",
        "reset",
        "recovery ms",
        "generator lag p99 ms",
        "generator busy",
      ],
      details,
    ),
  ];
}

export function goodputCell(row: OverloadSummary | undefined): string {
  const star = row === undefined || row.isValid ? "" : " *";
  return `${percent(row?.goodput ?? NaN)}${star}`;
}

function convSection(found: Measurements): string[] {
  const ceiling = runtimeRowsPerSecond(found, "conv", 1);
  const cells = throughputOf(found.throughput, "conv").map((row) => [
    label(row.server),
    PEERS.find(({ name }) => name === row.server)?.encoding.conv ?? "",
    rounded(row.answersPerSecond),
    percent(row.answersPerSecond / ceiling),
    rounded(row.p50Ms),
    rounded(row.p99Ms),
  ]);
  return tableSection(
    `conv, [3, 224, 224], ${IMAGE_CONNECTIONS} connections`,
    ["server", "encoding", "images/s", "of the bare runtime", "p50 ms", "p99 ms"],
    cells,
  );
}

function halfSection(found: Measurements): string[] {
  const cells = ["iris", "mlp512", "conv"].flatMap((model) =>
    latencyOf(found.half, model, false).map((row) => [
      model,
      label(row.server),
      rounded(row.requestsPerSecond),
      ...latencyCells(row),
      rounded(runtimeP99Ms(found, model)),
      rounded(addedP99Ms(found, model, row.server)),
    ]),
  );
  return tableSection(
    "At half of its own capacity, open loop, ms",
    ["model", "server", "requests/s", "n", "p50", "p95", "p99", "bare runtime p99", "added p99"],
    cells,
  );
}

function grpcSection(found: Measurements): string[] {
  const cells = groupBy(found.grpc, ({ server }) => server).map((group) => [
    label(group[0]?.server ?? ""),
    rounded(medianOf(group.map((row) => row.answersPerSecond))),
    rounded(medianOf(group.map((row) => row.latencyMs.p50))),
    rounded(medianOf(group.map((row) => row.latencyMs.p99))),
    rounded(medianOf(group.map((row) => row.cpuUs))),
  ]);
  return tableSection(
    `iris over gRPC, ${GRPC_IN_FLIGHT} in flight on one connection, raw contents`,
    ["server", "answers/s", "p50 ms", "p99 ms", "CPU µs/answer"],
    cells,
  );
}

function startAndMemorySection(found: Measurements): string[] {
  const servers = PEERS.map(({ name }) => name).filter((name) =>
    [...found.start, ...found.memory].some(({ server }) => server === name),
  );
  const cells = servers.map((name) => {
    const start = found.start.find(({ server }) => server === name);
    const memory = found.memory.filter(({ server }) => server === name);
    return [
      label(name),
      rounded(start?.firstAnswerMs.p50 ?? NaN),
      rounded(start?.firstAnswerMs.max ?? NaN),
      rounded(medianOf(memory.map(({ pssMib }) => pssMib))),
      rounded(medianOf(memory.map(({ privateDirtyMib }) => privateDirtyMib))),
      rounded(medianOf(memory.map(({ processes }) => processes))),
    ];
  });
  return tableSection(
    "Start and memory, iris",
    [
      "server",
      "start to first answer, median ms",
      "slowest",
      "PSS after load, MiB",
      "private dirty",
      "processes",
    ],
    cells,
  );
}

function latencyCells({ n, p50Ms, p95Ms, p99Ms }: LatencySummary): string[] {
  return [n.toLocaleString("en-US"), ...[p50Ms, p95Ms, p99Ms].map(rounded)];
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100)} %` : "–";
}
