// Is the generator in time, and how much of its lag is the machine's?
//   node --conditions=@millrace/source benchmarks/load-test/pace.ts   2 minutes; writes benchmarks/results/load-test-pace.md
//   … [rate] [seconds] [rounds]                                       tries it; prints only
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LoadReport } from "../../packages/millrace/src/core/load/load-report.ts";
import { measureLoad } from "../../packages/millrace/src/load-test/measure-load.ts";
import { describeMachine, describeNoise, machineLine, ROOT } from "../machine.ts";
import { tableSection } from "../markdown-table.ts";
import { percentilesOf } from "../percentiles.ts";
import { canPin, GENERATOR_CORE } from "../serving/run-process.ts";
import { rawPlan } from "./raw-plan.ts";
import { startRawServer } from "./start-raw-server.ts";

const [rate = 10_000, seconds = 10, rounds = 6] = process.argv.slice(2).map(Number);
const IDLE_SECONDS = 5;
const LAGS = ["lag p50 ms", "p90", "p99", "p99.9", "max"];
const HEAD = ["round", "nothing p99 ms", "nothing max", ...LAGS, "CPU", "sent", "valid"];
const NOTE =
  "`nothing`: the lag of a loop that does nothing but look at the clock for as many starts, on the same core right before: what the machine takes away. CPU of the thread that sends, without busy waiting.";

const machine = describeMachine();
if (canPin) {
  const words = ["-a", "-c", "-p", String(GENERATOR_CORE), String(process.pid)];
  execFileSync("taskset", words, { stdio: "ignore" });
}
const rows: string[][] = [];
for (let round = 1; round <= rounds; round++) {
  const idle = lagOfNothing();
  const server = await startRawServer("raw-server.ts");
  const plan = rawPlan(server.url, rate, seconds * 1000);
  rows.push(cells(round, idle, await measureLoad({ plan, objectives: [], command: "pace" })));
  server.stop();
}
const noise = describeNoise(machine);
const text = [
  "# Is the generator in time?",
  "",
  `Made by \`node --conditions=@millrace/source benchmarks/load-test/pace.ts\`: ${rate} requests/s for ${seconds} s, ${rounds} times, one thread, sending and counting on core 1; a minimal server on core 0.`,
  "",
  `- Machine: ${machineLine(machine)}`,
  ...(noise === undefined ? [] : [`- **Caution**: ${noise}`]),
  "",
  ...tableSection("Lag", HEAD, rows, NOTE),
].join("\n");
process.stdout.write(text);
if (process.argv.length === 2) {
  writeFileSync(join(ROOT, "benchmarks/results/load-test-pace.md"), text);
}

/** Lags in ms of starts that cost nothing. */
function lagOfNothing(): number[] {
  const lags: number[] = [];
  const startMs = performance.now();
  while (lags.length < rate * IDLE_SECONDS) {
    const nowMs = performance.now() - startMs;
    for (let dueMs; (dueMs = (lags.length * 1000) / rate) <= nowMs;) lags.push(nowMs - dueMs);
  }
  return lags;
}

function cells(round: number, idle: readonly number[], { millrace }: LoadReport): string[] {
  const { lag, starts, generator, valid } = millrace;
  const { p99, max } = percentilesOf(idle);
  const { p50_ms, p90_ms, p99_ms, p999_ms, max_ms } = lag;
  return [
    String(round),
    ...[p99, max, p50_ms, p90_ms, p99_ms, p999_ms, max_ms].map((ms) => ms.toFixed(3)),
    `${(generator.cpu * 100).toFixed(0)} %`,
    `${starts.sent} of ${starts.due}`,
    valid ? "yes" : "no",
  ];
}
