// What do traces cost?
//   node --conditions=@millrace/source benchmarks/traces/run.ts             four minutes; writes benchmarks/results/
//   node --conditions=@millrace/source benchmarks/traces/run.ts --quick     tries the harness; prints only
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { medianOf } from "../percentiles.ts";
import { post } from "../serving/http-post.ts";
import type { HttpRequest } from "../serving/peers/peer.ts";
import { cpuSecondsOf, treeOf } from "../serving/process-tree.ts";
import { isInstalled } from "../serving/run-process.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";
import { freePorts, ServerProcess } from "../serving/server-process.ts";
import { runWrk, type WrkResult } from "../serving/wrk.ts";

interface Case {
  readonly name: string;
  /** Undefined is a file without `traces`. */
  readonly sample: string | undefined;
  readonly hasCollector: boolean;
}

const CASES: readonly Case[] = [
  { name: "no traces", sample: undefined, hasCollector: true },
  { name: "1 % sampled", sample: "1%", hasCollector: true },
  { name: "10 % sampled", sample: "10%", hasCollector: true },
  { name: "all sampled", sample: "100%", hasCollector: true },
  { name: "all sampled, collector away", sample: "100%", hasCollector: false },
];

interface Run extends WrkResult {
  /** Of the server with all its threads: what else the machine does changes it little. */
  readonly cpuUsPerAnswer: number;
}

/** An address where nobody listens. */
const NOBODY = "http://127.0.0.1:9";

const REQUEST: HttpRequest = {
  path: "/predict",
  headers: { "content-type": "application/json" },
  body: Buffer.from('{"data":[[5.1,3.5,1.4,0.2]]}'),
};

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const PLAN = values.quick
  ? { rounds: 1, durationMs: 1_000, warmUpMs: 1_000, connections: 16 }
  : { rounds: 5, durationMs: 4_000, warmUpMs: 3_000, connections: 16 };
if (!isInstalled("wrk")) throw new Error("wrk is missing");
// The servers are ended on the way out, whatever ends this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

const scratch = new ScratchFolder();
const machine = describeMachine();
const collector = await startCollector();
const runs = new Map<string, Run[]>(CASES.map(({ name }) => [name, []]));
for (let round = 0; round < PLAN.rounds; round++) {
  for (const one of CASES) runs.get(one.name)?.push(await measure(one));
}
collector.close();

const base = medianOf((runs.get("no traces") ?? []).map(({ answersPerSecond: rate }) => rate));
const rows = [...runs].map(([name, results]) => {
  const rates = results.map(({ answersPerSecond: rate }) => rate);
  const rate = medianOf(rates);
  return {
    name,
    answersPerSecond: rate,
    ratio: rate / base,
    lowest: Math.min(...rates),
    highest: Math.max(...rates),
    cpuUs: medianOf(results.map(({ cpuUsPerAnswer }) => cpuUsPerAnswer)),
    p50Ms: medianOf(results.map(({ latencyMs }) => latencyMs.p50)),
    p99Ms: medianOf(results.map(({ latencyMs }) => latencyMs.p99)),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
  };
});
const noise = describeNoise(machine);
const text = [
  "# What traces cost",
  "",
  `iris over HTTP in a closed loop of ${PLAN.connections} connections, one serve process on core 0, load and collector on core 1; medians of ${PLAN.rounds} rounds of ${PLAN.durationMs / 1000} s, in turn. A request is four spans. CPU: of the server, for one answer.`,
  "",
  `- Machine: ${machineLine(machine)}`,
  ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
  "",
  ...tableSection(
    "Throughput",
    ["traces", "answers/s", "lowest", "highest", "ratio", "CPU µs", "p50 ms", "p99 ms", "failed"],
    rows.map((row) => [
      row.name,
      row.answersPerSecond.toFixed(0),
      row.lowest.toFixed(0),
      row.highest.toFixed(0),
      row.ratio.toFixed(3),
      row.cpuUs.toFixed(1),
      rounded(row.p50Ms),
      rounded(row.p99Ms),
      String(row.failed),
    ]),
  ),
].join("\n");
process.stdout.write(`${text}\n`);
if (!values.quick) {
  const output = join(ROOT, "benchmarks/results/traces");
  mkdirSync(join(ROOT, "benchmarks/results"), { recursive: true });
  const report = { machine, plan: PLAN, rows, noise };
  writeFileSync(`${output}.json`, `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(`${output}.md`, text);
}

/** One start, one warm-up, one measurement. */
async function measure({ sample, hasCollector }: Case): Promise<Run> {
  const ports = await freePorts();
  const { port } = collector.address() as AddressInfo;
  const endpoint = hasCollector ? `http://127.0.0.1:${port}` : NOBODY;
  const flags = {
    "--port": String(ports.http),
    "--server.grpc-port": "off",
    "--server.metrics-port": "off",
    "--state.dir": join(scratch.path, "state"),
    ...(sample === undefined ? {} : { "--traces.endpoint": endpoint, "--traces.sample": sample }),
  };
  const server = await ServerProcess.startCommand(
    {
      words: [
        "packages/millrace/bin/millrace",
        "serve",
        join(import.meta.dirname, "millrace.yaml"),
        ...Object.entries(flags).flat(),
      ],
      env: {},
    },
    ports,
    async () => (await post(ports.http, REQUEST)).status === 200,
  );
  try {
    const { connections, durationMs, warmUpMs } = PLAN;
    await runWrk(ports.http, REQUEST, { connections, durationMs: warmUpMs }, scratch);
    const before = cpuSecondsOf(treeOf(server.pid));
    const result = await runWrk(ports.http, REQUEST, { connections, durationMs }, scratch);
    const usedS = cpuSecondsOf(treeOf(server.pid)) - before;
    return { ...result, cpuUsPerAnswer: (usedS * 1e6) / result.answers };
  } finally {
    await server.stop();
  }
}

/** Takes everything and reads nothing of it: what a collector does costs it, not the server. */
async function startCollector(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return server;
}
