// Does memory stay flat while no sink takes anything, for as many rows as 1,000 a second make in an hour?
//   node --conditions=@millrace/source benchmarks/prediction-log/memory.ts [rows, default 3600000]
//   five minutes and 0.6 GB of disk; writes benchmarks/results/prediction-log-memory.{md,json}
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readMetrics } from "../../test/e2e/prometheus.ts";
import { makeGraphModels } from "../graphs/make-models.ts";
import { predictRequest, startBenchServer } from "../graphs/bench-server.ts";
import { describeMachine, machineLine, ROOT } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { memoryOf, treeOf } from "../serving/process-tree.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";
import { runWrk } from "../serving/wrk.ts";

interface LogMemory {
  /** Rows in the segments at the end: an hour at 1,000 a second is 3.6 million. */
  readonly rows: number;
  readonly dropped: number;
  readonly failedRequests: number;
  /** Bytes of the segments that wait for the sink, in MiB. */
  readonly walMib: number;
  readonly sinkErrors: number;
  /** Of all processes together, after each slice; the first slices warm up. */
  readonly privateMib: readonly number[];
  /** Growth by a least-squares line over the second half, per million rows. */
  readonly growthMibPerMillionRows: number;
}

const SLICES = 24;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
await makeGraphModels();
const machine = describeMachine();
report(await measureLogMemory(Number(process.argv[2] ?? 3_600_000)));

/** An hour's rows as fast as they come, with a file where the sink wants to make its folder. */
async function measureLogMemory(rowCount: number): Promise<LogMemory> {
  const scratch = new ScratchFolder();
  const log = join(scratch.path, "state", "log");
  mkdirSync(log, { recursive: true });
  writeFileSync(join(log, "predictions"), "not a folder");
  const request = predictRequest("iris", [[5.1, 3.5, 1.4, 0.2]]);
  const file = "../prediction-log/log-sink-down.yaml";
  const server = await startBenchServer("serve", file, request, scratch);
  const read = () => readMetrics(server.metricsUrl);
  try {
    const privateMib: number[] = [];
    let failedRequests = 0;
    const rowsAt: number[] = [];
    for (let i = 0; i < SLICES; i++) {
      const until = (rowCount * (i + 1)) / SLICES;
      while ((await read()).sum("predlog_rows_total") < until) {
        failedRequests += (
          await runWrk(server.httpPort, request, { connections: 64, durationMs: 2000 }, scratch)
        ).failed;
      }
      rowsAt.push((await read()).sum("predlog_rows_total"));
      privateMib.push(treeOf(server.pid).reduce((sum, pid) => sum + memoryOf(pid).privateDirty, 0));
    }
    const metrics = await read();
    return {
      rows: metrics.sum("predlog_rows_total"),
      dropped: metrics.sum("predlog_dropped_total"),
      failedRequests,
      walMib: metrics.sum("predlog_wal_bytes") / 2 ** 20,
      sinkErrors: metrics.sum("predlog_sink_errors_total"),
      privateMib,
      growthMibPerMillionRows: slope(
        rowsAt.slice(SLICES / 2).map((rows) => rows / 1e6),
        privateMib.slice(SLICES / 2),
      ),
    };
  } finally {
    await server.stop();
  }
}

/** Of the least-squares line. */
function slope(xs: readonly number[], ys: readonly number[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  let covariance = 0;
  let variance = 0;
  for (const [i, x] of xs.entries()) {
    covariance += (x - meanX) * ((ys[i] ?? NaN) - meanY);
    variance += (x - meanX) ** 2;
  }
  return covariance / variance;
}

function report(found: LogMemory): void {
  const { rows, dropped, failedRequests, walMib, sinkErrors, privateMib } = found;
  const lines = [
    "# Memory while no sink takes the log",
    "",
    "Made by `node --conditions=@millrace/source benchmarks/prediction-log/memory.ts`: `millrace serve` with a file where the sink",
    "wants its folder, as many rows as 1,000 a second make in an hour, as fast as they come (wrk, 64 connections).",
    "",
    `- Machine: ${machineLine(machine)}`,
    `- ${rows} rows in segments (${rounded(walMib)} MiB), ${dropped} left out, ${failedRequests} requests failed, ${sinkErrors} failures of the sink`,
    `- Growth in the second half: ${found.growthMibPerMillionRows.toFixed(2)} MiB per million rows`,
    "",
    ...tableSection(
      "Private memory of the server with its log process",
      ["part of the rows", "MiB"],
      privateMib.map((mib, i) => [`${i + 1}/${SLICES}`, rounded(mib)]),
    ),
  ];
  const text = `${lines.join("\n")}\n`;
  process.stdout.write(text);
  const path = join(ROOT, "benchmarks/results/prediction-log-memory");
  writeFileSync(`${path}.md`, text);
  writeFileSync(`${path}.json`, `${JSON.stringify({ machine, ...found }, undefined, 1)}\n`);
}
