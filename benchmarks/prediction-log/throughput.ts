// What does the log take from the throughput of a small model, on the one core that it shares with the server?
//   node --conditions=@millrace/source benchmarks/prediction-log/throughput.ts [rounds, default 6]
//   four minutes; writes benchmarks/results/prediction-log-throughput.{md,json}
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readMetrics } from "../../test/e2e/prometheus.ts";
import { makeGraphModels } from "../graphs/make-models.ts";
import { predictRequest, startBenchServer } from "../graphs/bench-server.ts";
import { measureLoads, type LoadRow } from "../graphs/load-rows.ts";
import { FULL } from "../graphs/plan.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { medianOf } from "../percentiles.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";

interface LogThroughput {
  /** Medians of the rounds, by connections. */
  readonly rows: readonly {
    readonly connections: number;
    readonly offPerSecond: number;
    readonly fullPerSecond: number;
    /** 1 − full/off, the median of the rounds' own ratios. */
    readonly cost: number;
  }[];
  readonly answers: number;
  /** Rows the log took, and rows it left out, of all answers. */
  readonly logged: number;
  readonly dropped: number;
  readonly loads: readonly LoadRow[];
}

interface Round {
  readonly loads: readonly LoadRow[];
  readonly logged: number;
  readonly dropped: number;
}

const CONNECTIONS = [1, 64] as const;
const LOAD_MS = 6_000;
const COST_MAX = 0.05;

const rounds = Number(process.argv[2] ?? 6);
// The servers are ended on the way out, whatever ends this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
await makeGraphModels();
const machine = describeMachine();
report(await measureLogThroughput(rounds));

/** Each round starts both servers anew, one after the other, so that neither writes while the other is measured. */
async function measureLogThroughput(rounds: number): Promise<LogThroughput> {
  const pairs: { readonly off: Round; readonly full: Round }[] = [];
  for (let i = 0; i < rounds; i++) {
    const full = () => measureRound("log-full.yaml");
    const off = () => measureRound("log-off.yaml");
    // Turn by turn the other one first: machines get slower and faster.
    if (i % 2 === 0) pairs.push({ off: await off(), full: await full() });
    else {
      const first = await full();
      pairs.push({ off: await off(), full: first });
    }
  }
  const rows = CONNECTIONS.map((connections, index) => {
    const rate = (round: Round): number => round.loads[index]?.answersPerSecond ?? NaN;
    return {
      connections,
      offPerSecond: medianOf(pairs.map(({ off }) => rate(off))),
      fullPerSecond: medianOf(pairs.map(({ full }) => rate(full))),
      cost: medianOf(pairs.map(({ off, full }) => 1 - rate(full) / rate(off))),
    };
  });
  const fulls = pairs.map(({ full }) => full);
  const sum = (pick: (round: Round) => number): number =>
    fulls.reduce((total, round) => total + pick(round), 0);
  return {
    rows,
    answers: sum(({ loads }) => loads.reduce((total, { n }) => total + n, 0)),
    logged: sum(({ logged }) => logged),
    dropped: sum(({ dropped }) => dropped),
    loads: pairs.flatMap(({ off, full }) => [...off.loads, ...full.loads]),
  };
}

async function measureRound(file: string): Promise<Round> {
  const scratch = new ScratchFolder();
  const request = predictRequest("iris", [[5.1, 3.5, 1.4, 0.2]]);
  const server = await startBenchServer("serve", `../prediction-log/${file}`, request, scratch);
  try {
    const loads = await measureLoads(
      server.httpPort,
      CONNECTIONS.map((connections) => ({ name: file, request, connections })),
      { ...FULL, loadRounds: 1, loadMs: LOAD_MS, warmUpMs: 2000 },
      scratch,
    );
    const metrics = await readMetrics(server.metricsUrl);
    return {
      loads,
      logged: metrics.sum("predlog_rows_total", { service: "iris" }),
      dropped: metrics.sum("predlog_dropped_total", {}),
    };
  } finally {
    await server.stop();
  }
}

function report(found: LogThroughput): void {
  const { rows, answers, logged, dropped, loads } = found;
  const noise = describeNoise(machine);
  const failed = loads.reduce((sum, load) => sum + load.failed, 0);
  const lines = [
    "# What the prediction log takes from the throughput",
    "",
    "Made by `node --conditions=@millrace/source benchmarks/prediction-log/throughput.ts`: `millrace serve` with a classifier of 4",
    "numbers, the server with its writer thread and its log process on core 0, wrk on core 1; inputs and predictions are logged.",
    `${rounds} rounds, each with both servers started anew, ${LOAD_MS / 1000} s a load; medians. The cost is the median of the rounds' own ratios.`,
    "",
    `- Machine: ${machineLine(machine)}`,
    ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
    ...(failed === 0 ? [] : [`- **Caution**: ${failed} requests failed`]),
    `- With the log ${answers} answers in the loads that counted, ${logged} rows with those of the warm-up, ${dropped} left out`,
    `- Target: at most ${COST_MAX * 100} %`,
    "",
    ...tableSection(
      "Answers a second",
      ["connections", "without", "with", "cost"],
      rows.map(({ connections, offPerSecond, fullPerSecond, cost }) => [
        String(connections),
        rounded(offPerSecond),
        rounded(fullPerSecond),
        `${(cost * 100).toFixed(1)} %`,
      ]),
    ),
  ];
  const text = `${lines.join("\n")}\n`;
  process.stdout.write(text);
  const path = join(ROOT, "benchmarks/results/prediction-log-throughput");
  writeFileSync(`${path}.md`, text);
  writeFileSync(`${path}.json`, `${JSON.stringify({ machine, rounds, ...found }, undefined, 1)}\n`);
}
