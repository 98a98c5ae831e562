// What does the log take from the throughput of a small model, on the one core that it shares with the server?
//   node --conditions=@millrace/source benchmarks/prediction-log/throughput.ts [rounds, default 30]
//   five minutes; writes benchmarks/results/prediction-log-throughput.{md,json}
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readMetrics } from "../../test/e2e/prometheus.ts";
import { predictRequest, startBenchServer, type BenchServer } from "../graphs/bench-server.ts";
import { makeGraphModels } from "../graphs/make-models.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { medianOf } from "../percentiles.ts";
import { cpuSecondsOf, treeOf } from "../serving/process-tree.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";
import { runWrk } from "../serving/wrk.ts";

const SERVICES = ["unlogged", "logged"] as const;
const CONNECTIONS = [1, 64] as const;
const LOAD_MS = 2_000;
const WARM_UP_MS = 4_000;
const COST_MAX = 0.05;

/** One load of a service. */
interface Run {
  readonly answersPerSecond: number;
  /** CPU time of all processes of the server by answer, in microseconds. */
  readonly cpuUs: number;
  readonly p99Ms: number;
  readonly failed: number;
}

/** Both services, one right after the other. */
interface Pair {
  readonly connections: number;
  readonly unlogged: Run;
  readonly logged: Run;
}

const rounds = Number(process.argv[2] ?? 30);
// The server is ended on the way out, whatever ends this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
await makeGraphModels();
const machine = describeMachine();
const scratch = new ScratchFolder();
const server = await startBenchServer(
  "serve",
  "../prediction-log/log-full.yaml",
  requestOf("logged"),
  scratch,
);
try {
  report(await measurePairs(server), await droppedBy(server));
} finally {
  await server.stop();
}

function requestOf(service: (typeof SERVICES)[number]) {
  return predictRequest(service, [[5.1, 3.5, 1.4, 0.2]]);
}

/** The machine gets slower and faster within seconds, so only neighbours are compared, each first in every other round. */
async function measurePairs({ httpPort, pid }: BenchServer): Promise<Pair[]> {
  const run = async (
    service: (typeof SERVICES)[number],
    connections: number,
    durationMs: number,
  ): Promise<Run> => {
    const cpuBefore = cpuSecondsOf(treeOf(pid));
    const plan = { connections, durationMs };
    const result = await runWrk(httpPort, requestOf(service), plan, scratch);
    const cpuUs = ((cpuSecondsOf(treeOf(pid)) - cpuBefore) * 1e6) / result.answers;
    const { answersPerSecond, failed, latencyMs } = result;
    return { answersPerSecond, cpuUs, p99Ms: latencyMs.p99, failed };
  };
  for (const service of SERVICES) await run(service, 64, WARM_UP_MS);
  const pairs: Pair[] = [];
  for (let i = 0; i < rounds; i++) {
    for (const connections of CONNECTIONS) {
      const [first, second] = i % 2 === 0 ? SERVICES : SERVICES.toReversed();
      const one = await run(first as "logged", connections, LOAD_MS);
      const other = await run(second as "logged", connections, LOAD_MS);
      const [unlogged, logged] = i % 2 === 0 ? [one, other] : [other, one];
      pairs.push({ connections, unlogged, logged });
    }
  }
  return pairs;
}

async function droppedBy({ metricsUrl }: BenchServer): Promise<number> {
  return (await readMetrics(metricsUrl)).sum("predlog_dropped_total");
}

function report(pairs: readonly Pair[], dropped: number): void {
  const rows = CONNECTIONS.map((connections) => {
    const own = pairs.filter((pair) => pair.connections === connections);
    const median = (pick: (pair: Pair) => number): number => medianOf(own.map(pick));
    return {
      connections,
      unloggedPerSecond: median(({ unlogged }) => unlogged.answersPerSecond),
      loggedPerSecond: median(({ logged }) => logged.answersPerSecond),
      cost: median(
        ({ unlogged, logged }) => 1 - logged.answersPerSecond / unlogged.answersPerSecond,
      ),
      cpuCost: median(({ unlogged, logged }) => 1 - unlogged.cpuUs / logged.cpuUs),
      cpuUs: median(({ logged }) => logged.cpuUs),
    };
  });
  const failed = pairs.reduce((sum, pair) => sum + pair.unlogged.failed + pair.logged.failed, 0);
  const noise = describeNoise(machine);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const lines = [
    "# What the prediction log takes from the throughput",
    "",
    "Made by `node --conditions=@millrace/source benchmarks/prediction-log/throughput.ts`: `millrace serve` with a classifier of 4",
    "numbers behind two services, of which one is logged with inputs and predictions; the server with its writer thread and its log",
    `process on core 0, wrk on core 1. ${rounds} pairs of ${LOAD_MS / 1000} s, one right after the other; the costs are medians of the pairs' own ratios.`,
    "",
    `- Machine: ${machineLine(machine)}`,
    ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
    ...(failed === 0 ? [] : [`- **Caution**: ${failed} requests failed`]),
    `- ${dropped} rows were left out`,
    `- Target: at most ${percent(COST_MAX)} of the throughput`,
    "",
    ...tableSection(
      "Answers a second",
      ["connections", "unlogged", "logged", "cost", "CPU cost", "CPU µs an answer"],
      rows.map((row) => [
        String(row.connections),
        rounded(row.unloggedPerSecond),
        rounded(row.loggedPerSecond),
        percent(row.cost),
        percent(row.cpuCost),
        rounded(row.cpuUs),
      ]),
    ),
  ];
  const text = `${lines.join("\n")}\n`;
  process.stdout.write(text);
  const path = join(ROOT, "benchmarks/results/prediction-log-throughput");
  writeFileSync(`${path}.md`, text);
  writeFileSync(
    `${path}.json`,
    `${JSON.stringify({ machine, rows, dropped, pairs }, undefined, 1)}\n`,
  );
}
