// What do shadows take from who waits for an answer: the 99th percentile of a small model, with a good, a slow, a failing and a
// hung shadow?
//   node --conditions=@millrace/source benchmarks/shadow/run.ts [rounds, default 10] [one-core]
//   The load shares the core of the serving loop, so that the threads of shadows have one to themselves; `one-core`: they have not.
//   three minutes; writes benchmarks/results/shadow.{md,json}
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readMetrics } from "../../test/e2e/prometheus.ts";
import { predictRequest, startBenchServer, type BenchServer } from "../graphs/bench-server.ts";
import { makeGraphModels } from "../graphs/make-models.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { medianOf } from "../percentiles.ts";
import type { LoadResult } from "../serving/generator/load-plan.ts";
import { treeOf } from "../serving/process-tree.ts";
import { runGenerator } from "../serving/run-generator.ts";
import { GENERATOR_CORE, SERVER_CORE } from "../serving/run-process.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";

const SERVICES = ["none", "good", "slow", "failing", "hung"] as const;
type Service = (typeof SERVICES)[number];

const LOAD = {
  requestsPerSecond: 500,
  warmupMs: 500,
  durationMs: 2_500,
  connectionsAtStart: 8,
  connectionsMax: 64,
  waitMsMax: 1_000,
  answerMsMax: 5_000,
  inTimeMs: 100,
  graceMs: 200,
} as const;
const P99_COST_MAX = 0.05;

/** One load of a service. */
interface Run {
  readonly round: number;
  readonly service: Service;
  readonly load: LoadResult;
}

const rounds = Number(process.argv[2] ?? 10);
const isOneCore = process.argv[3] === "one-core";
const load = { ...LOAD, core: isOneCore ? GENERATOR_CORE : SERVER_CORE };
// The server is ended on the way out, whatever ends this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
await makeGraphModels();
const machine = describeMachine();
const scratch = new ScratchFolder();
const server = await startBenchServer(
  "serve",
  "../shadow/millrace.yaml",
  requestOf("none"),
  scratch,
);
try {
  report(await measure(server), await pairsOf(server));
} finally {
  await server.stop();
}

function requestOf(service: Service) {
  return predictRequest(service, [[5.1, 3.5, 1.4, 0.2]]);
}

/** The machine gets slower and faster within seconds, so each round has every service, each time another one first. */
async function measure({ httpPort, pid }: BenchServer): Promise<Run[]> {
  for (const service of SERVICES) await runGenerator(httpPort, requestOf(service), load, scratch);
  if (!isOneCore) freeServingCore(pid);
  const runs: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < SERVICES.length; i++) {
      const service = SERVICES[(i + round) % SERVICES.length] as Service;
      const result = await runGenerator(httpPort, requestOf(service), load, scratch);
      runs.push({ round, service, load: result });
      await sleep(100);
    }
  }
  return runs;
}

/** The serving loop keeps its core; every other thread of the server goes to the one beside it. */
function freeServingCore(pid: number): void {
  for (const one of treeOf(pid)) {
    for (const thread of readdirSync(`/proc/${one}/task`)) {
      const isServingLoop = Number(thread) === pid;
      const core = isServingLoop ? SERVER_CORE : GENERATOR_CORE;
      execFileSync("taskset", ["-pc", String(core), thread], { stdio: "ignore" });
    }
  }
}

async function pairsOf({ metricsUrl }: BenchServer): Promise<Record<string, string>> {
  const metrics = await readMetrics(metricsUrl);
  const of = (name: string, service: Service): number => metrics.sum(name, { service });
  return Object.fromEntries(
    SERVICES.map((service) => [
      service,
      `${rounded(of("shadow_pairs_total", service))} / ${rounded(of("shadow_skipped_total", service))}`,
    ]),
  );
}

function report(runs: readonly Run[], pairs: Readonly<Record<string, string>>): void {
  const ofService = (service: Service): Run[] => runs.filter((run) => run.service === service);
  const without = new Map(ofService("none").map((run) => [run.round, run.load]));
  const rows = SERVICES.map((service) => {
    const own = ofService(service);
    const median = (pick: (load: LoadResult) => number): number =>
      medianOf(own.map(({ load }) => pick(load)));
    return {
      service,
      p50Ms: median(({ latencyMs }) => latencyMs.p50),
      p99Ms: median(({ latencyMs }) => latencyMs.p99),
      p99Cost: medianOf(
        own.map(
          ({ round, load }) => load.latencyMs.p99 / (without.get(round)?.latencyMs.p99 ?? NaN) - 1,
        ),
      ),
      failed: own.reduce((sum, { load }) => sum + load.due - load.ok, 0),
    };
  });
  const noise = describeNoise(machine);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const cores = isOneCore
    ? "all of the server on core 0, the load on core 1"
    : "the serving loop and the load on core 0, every other thread of the server alone on core 1";
  const lines = [
    "# What shadows take from who waits for an answer",
    "",
    "Made by `node --conditions=@millrace/source benchmarks/shadow/run.ts`: `millrace serve` with a classifier of 4 numbers behind",
    `five services, every request of which is copied to another shadow; ${cores}.`,
    `An open load of ${LOAD.requestsPerSecond} requests a second, ${rounds} rounds of ${LOAD.durationMs / 1000} s for each service, one right after the other;`,
    "the costs are medians of the ratios within a round.",
    "",
    `- Machine: ${machineLine(machine)}`,
    ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
    `- Target: at most ${percent(P99_COST_MAX)} of the 99th percentile`,
    "",
    ...tableSection(
      "Latency of the answers",
      ["shadow", "p50 ms", "p99 ms", "cost of p99", "not answered", "copies / left out"],
      rows.map(({ service, p50Ms, p99Ms, p99Cost, failed }) => [
        service,
        rounded(p50Ms),
        rounded(p99Ms),
        service === "none" ? "–" : percent(p99Cost),
        String(failed),
        pairs[service] ?? "",
      ]),
    ),
  ];
  const text = `${lines.join("\n")}\n`;
  process.stdout.write(text);
  const path = join(ROOT, `benchmarks/results/shadow${isOneCore ? "-one-core" : ""}`);
  writeFileSync(`${path}.md`, text);
  writeFileSync(
    `${path}.json`,
    `${JSON.stringify({ machine, rows, pairs, runs }, undefined, 1)}\n`,
  );
}
