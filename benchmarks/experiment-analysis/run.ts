// How long does it take to analyse an experiment of 10 million exposures, and what does that take from who waits for a prediction?
//   node --conditions=@millrace/source benchmarks/experiment-analysis/run.ts [exposures in millions]
//   four minutes, half of them to make 1.5 GB of Parquet; of 10 million it writes results/experiment-analysis.{md,json}
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import { analyseExperiment } from "../../packages/millrace/src/analysis/analyse-experiment.ts";
import type {
  ExperimentConfig,
  MetricConfig,
} from "../../packages/millrace/src/config/experiment-config.ts";
import type { ExperimentAnalysis } from "../../packages/millrace/src/core/experiment/experiment-report.ts";
import { QueryProcess } from "../../packages/millrace/src/query/query-process.ts";
import { predictRequest, startBenchServer } from "../graphs/bench-server.ts";
import { makeGraphModels } from "../graphs/make-models.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { rounded, tableSection } from "../markdown-table.ts";
import { medianOf } from "../percentiles.ts";
import type { LoadResult } from "../serving/generator/load-plan.ts";
import { runGenerator } from "../serving/run-generator.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";
import { LENGTH_MS, makeLog, SINCE_MS } from "./make-log.ts";

const TARGET_UNITS = 10_000_000;
const TARGET_MS = 10_000;
/** `log.query.memoryMax` and `log.query.timeout`, as they are by default. */
const MEMORY_BYTES = 2 ** 30;
const TIMEOUT_MS = 30_000;
const ROUNDS = 5;
const LOADS = 4;

const LOAD = {
  requestsPerSecond: 200,
  warmupMs: 500,
  durationMs: 5_000,
  connectionsAtStart: 8,
  connectionsMax: 64,
  waitMsMax: 1_000,
  answerMsMax: 5_000,
  inTimeMs: 100,
  graceMs: 200,
} as const;

const METRIC: MetricConfig = {
  name: "purchase",
  role: "primary",
  source: { kind: "event", event: "purchase", aggregate: "converted" },
  goal: "increase",
  margin: 0,
  windowMs: undefined,
  lookbackMs: undefined,
};

const METRICS: readonly MetricConfig[] = [
  METRIC,
  {
    ...METRIC,
    name: "spent",
    role: "secondary",
    source: { kind: "event", event: "purchase", aggregate: "sum" },
    lookbackMs: 3_600_000,
  },
  ...(["errors", "slow"] as const).map((kind): MetricConfig => ({
    ...METRIC,
    name: kind,
    role: "guardrail",
    source: { kind },
    goal: "decrease",
    margin: 0.01,
  })),
];

const LABEL: MetricConfig = {
  ...METRIC,
  name: "correct",
  role: "secondary",
  source: { kind: "correct" },
};

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
const units = Number(process.argv[2] ?? 10) * 1e6;
const scratch = new ScratchFolder();
const folder = join(scratch.path, "log");
const machine = describeMachine();
const madeMs = await timeOf(() =>
  makeLog(folder, { units, unitsPerPurchase: 20, predictionsPerLabel: 50 }),
);
console.log(`made the log in ${rounded(madeMs / 1000)} s`);
const engine = new QueryProcess({
  entry: join(ROOT, "packages/millrace/src/query-process-entry.ts"),
  settings: { folder, memoryBytesMax: MEMORY_BYTES, timeoutMs: TIMEOUT_MS },
  clock: systemClock,
  onLine: (line) => console.error(line),
});
try {
  const plain = await rounds(METRICS);
  const labelled = await rounds([...METRICS, LABEL]);
  report({ plain, labelled, loads: await measureLoads() });
} finally {
  await engine.close();
}

function analyse(metrics: readonly MetricConfig[]): Promise<ExperimentAnalysis> {
  const nowMs = SINCE_MS + LENGTH_MS + 3_600_000;
  const experiment = experimentOf(metrics);
  return analyseExperiment(engine, { service: "shop", experiment, sinceMs: SINCE_MS, nowMs });
}

interface Rounds {
  readonly ms: readonly number[];
  readonly decision: ExperimentAnalysis["decision"];
}

/** After one that warms the system's cache of files. */
async function rounds(metrics: readonly MetricConfig[]): Promise<Rounds> {
  const { decision, arms } = await analyse(metrics);
  const found = arms.reduce((sum, arm) => sum + arm.units, 0);
  if (found !== units) throw new Error(`found ${found} of ${units} units`);
  const ms: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    ms.push(await timeOf(() => analyse(metrics)));
    console.log(`analysed in ${rounded(ms[i] ?? NaN)} ms`);
  }
  return { ms, decision };
}

interface Loads {
  readonly quiet: readonly LoadResult[];
  /** Analyses one after the other, all the time. */
  readonly analysing: readonly LoadResult[];
}

/** Predictions of a small model at a modest rate, in turn with an analysis behind them and without. */
async function measureLoads(): Promise<Loads> {
  await makeGraphModels();
  const request = predictRequest("iris", [[5.1, 3.5, 1.4, 0.2]]);
  const server = await startBenchServer(
    "serve",
    "../experiment-analysis/millrace.yaml",
    request,
    scratch,
  );
  const load = (): Promise<LoadResult> => runGenerator(server.httpPort, request, LOAD, scratch);
  const quiet: LoadResult[] = [];
  const analysing: LoadResult[] = [];
  try {
    await load();
    for (let i = 0; i < LOADS; i++) {
      quiet.push(await load());
      let isOver = false;
      const behind = (async () => {
        while (!isOver) await analyse(METRICS);
      })();
      analysing.push(await load());
      isOver = true;
      await behind;
    }
  } finally {
    await server.stop();
  }
  return { quiet, analysing };
}

function experimentOf(metrics: readonly MetricConfig[]): ExperimentConfig {
  return {
    name: "ranking",
    unit: [{ from: "header", name: "x-user-id" }],
    arms: [
      { name: "control", to: "a", weight: 0.5 },
      { name: "treatment", to: "b", weight: 0.5 },
    ],
    control: "control",
    coverage: 1,
    isActive: true,
    winner: undefined,
    salt: "ranking",
    namespace: undefined,
    override: undefined,
    isSticky: true,
    minPhase: 1,
    metrics,
    onRegression: "rollback",
    onMismatch: "hold",
    analysis: {
      everyMs: 60_000,
      windowMs: 3_600_000,
      method: "sequential",
      alpha: 0.05,
      unitsMin: 100,
      unitsTuned: 5_000,
      lengthMinMs: 0,
      lengthMaxMs: 30 * LENGTH_MS,
    },
    ramp: undefined,
  };
}

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const beginMs = performance.now();
  await run();
  return performance.now() - beginMs;
}

function report(found: {
  readonly plain: Rounds;
  readonly labelled: Rounds;
  readonly loads: Loads;
}): void {
  const { plain, labelled, loads } = found;
  const noise = describeNoise(machine);
  const verdict = medianOf(plain.ms) <= TARGET_MS ? "met" : "MISSED";
  const timeRow = (what: string, { ms }: Rounds) => [
    what,
    String(ms.length),
    ...[Math.min(...ms), medianOf(ms), Math.max(...ms)].map((value) => rounded(value)),
  ];
  const loadRow = (what: string, results: readonly LoadResult[]) => [
    what,
    rounded(results.reduce((sum, { ok }) => sum + ok, 0)),
    rounded(results.reduce((sum, { due, ok }) => sum + due - ok, 0)),
    ...(["p50", "p95", "p99", "max"] as const).map((name) =>
      rounded(medianOf(results.map(({ latencyMs }) => latencyMs[name]))),
    ),
  ];
  const text = [
    "# Analysis of an experiment",
    "",
    "Made by `node --conditions=@millrace/source benchmarks/experiment-analysis/run.ts`: a day of an experiment with",
    `${rounded(units)} units, each exposed once and predicted for once, a twentieth of them with purchases before and after that,`,
    "a fiftieth of the predictions with a label. Analysed through the query process with 1 GiB of memory, which is the default;",
    "times are from the order to the decision, with its files in the system's cache.",
    "",
    `- Machine: ${machineLine(machine)}`,
    ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
    `- Target: an analysis with events and guardrails ≤ ${TARGET_MS / 1000} s: ${verdict}`,
    "",
    ...tableSection(
      "Milliseconds of an analysis",
      ["metrics", "n", "min", "p50", "max"],
      [
        timeRow("two of events (one with CUPED), errors, latency", plain),
        timeRow("and one of labels", labelled),
      ],
    ),
    "",
    ...tableSection(
      `Milliseconds of a prediction at ${LOAD.requestsPerSecond} requests/s, medians of ${LOADS} loads of ${LOAD.durationMs / 1000} s`,
      ["meanwhile", "answered", "not answered", "p50", "p95", "p99", "max"],
      [loadRow("nothing", loads.quiet), loadRow("one analysis after the other", loads.analysing)],
    ),
  ].join("\n");
  console.log(text);
  if (units < TARGET_UNITS) return;
  const path = join(ROOT, "benchmarks/results/experiment-analysis");
  writeFileSync(`${path}.md`, `${text}\n`);
  writeFileSync(`${path}.json`, `${JSON.stringify({ machine, units, ...found }, undefined, 2)}\n`);
}
