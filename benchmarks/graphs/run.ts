// What do graphs, caches, rules and live changes cost?
//   node --conditions=@millrace/source benchmarks/graphs/run.ts             five minutes; writes benchmarks/results/
//   node --conditions=@millrace/source benchmarks/graphs/run.ts --quick     tries the harness; prints only
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MILLRACE_VERSION } from "../../packages/millrace/src/version.ts";
import { describeMachine, describeNoise, ROOT } from "../machine.ts";
import {
  canPin,
  GENERATOR_CORE,
  isInstalled,
  onCore,
  runProcess,
  SERVER_CORE,
} from "../serving/run-process.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";
import { predictRequest, startBenchServer } from "./bench-server.ts";
import type { FoundInProcess } from "./in-process.ts";
import { limitsOf, type Found } from "./limits.ts";
import { loadFaults } from "./load-rows.ts";
import { makeGraphModels } from "./make-models.ts";
import { measureOverrideReach } from "./override-reach.ts";
import { FULL, QUICK } from "./plan.ts";
import { PredictionCacheBenchmark } from "./prediction-cache.ts";
import { reportText, type GraphsReport } from "./report.ts";
import { measureSequenceOverHttp } from "./sequence-over-http.ts";

const IN_PROCESS_MS_MAX = 300_000;
/** As bin/millrace starts itself. */
const NODE_FLAGS = [
  "--max-semi-space-size=16",
  "--no-allocation-site-pretenuring",
  "--initial-old-space-size=64",
  "--v8-pool-size=1",
  "--conditions=@millrace/source",
];

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const plan = values.quick ? QUICK : FULL;
for (const tool of ["wrk", "ss"]) if (!isInstalled(tool)) throw new Error(`${tool} is missing`);
// The servers are ended on the way out, whatever ends this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

await makeGraphModels();
const machine = describeMachine(); // after the models, which are a load of their own
stayOffServerCore();
const found = await measureAll();
const noise = describeNoise(machine);
const report: GraphsReport = {
  machine,
  versions: versionsHere(),
  command: `node --conditions=@millrace/source benchmarks/graphs/run.ts${values.quick ? " --quick" : ""}`,
  plan,
  limits: limitsOf(found),
  found,
  cautions: [
    ...(noise === undefined ? [] : [noise]),
    ...(canPin ? [] : ["nothing is pinned: that takes two cores and taskset"]),
    ...loadFaults([...found.sequence.rows, ...found.cache.rows]),
    ...(found.override.isUnderLoad ? [] : ["the load ended before the last live change"]),
    ...(values.quick ? ["a quick run tries the harness and is no evidence"] : []),
  ],
};
const text = reportText(report);
process.stdout.write(`${text}\n`);
if (!values.quick) {
  const results = join(ROOT, "benchmarks/results");
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, "graphs.json"), `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(join(results, "graphs.md"), text);
}

async function measureAll(): Promise<Found> {
  const scratch = new ScratchFolder();
  const entry = join(import.meta.dirname, "in-process.ts");
  const words = [process.execPath, ...NODE_FLAGS, entry, JSON.stringify(plan)];
  const output = await runProcess(onCore(SERVER_CORE, words), IN_PROCESS_MS_MAX);
  const inProcess = JSON.parse(output.slice(output.lastIndexOf("\n{") + 1)) as FoundInProcess;
  const first = predictRequest("iris", [[5.1, 3.5, 1.4, 0.2]]);
  const server = await startBenchServer("serve", "millrace.yaml", first, scratch);
  try {
    const sequence = await measureSequenceOverHttp(server.httpPort, plan, scratch);
    const cache = await new PredictionCacheBenchmark(server, scratch).measure(plan);
    await server.stop();
    return { inProcess, sequence, cache, override: await measureOverrideReach(plan, scratch) };
  } finally {
    await server.stop();
  }
}

/** What this process does, and what it starts, takes nothing from the server. */
function stayOffServerCore(): void {
  if (!canPin) return;
  const words = ["-a", "-cp", String(GENERATOR_CORE), String(process.pid)];
  execFileSync("taskset", words, { stdio: "ignore" });
}

function versionsHere(): Record<string, string> {
  const file = join(ROOT, "node_modules/onnxruntime-node/package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  return { millrace: MILLRACE_VERSION, "onnxruntime-node": version };
}
