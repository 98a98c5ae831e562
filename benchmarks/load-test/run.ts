// Does `millrace load` hold its pace, and does it find what other generators find?
//   node --conditions=@millrace/source benchmarks/load-test/run.ts           10 minutes; writes benchmarks/results/
//   node --conditions=@millrace/source benchmarks/load-test/run.ts --quick   tries the harness; prints only
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MILLRACE_VERSION } from "../../packages/millrace/src/version.ts";
import { predictRequest, startBenchServer } from "../graphs/bench-server.ts";
import { describeMachine, describeNoise, ROOT } from "../machine.ts";
import { canPin, isInstalled } from "../serving/run-process.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";
import { GENERATORS, type GeneratorResult } from "./generators.ts";
import { startRawServer } from "./start-raw-server.ts";
import { FULL, QUICK, type Scene } from "./plan.ts";
import { reportText, type LoadTestReport, type SceneResult } from "./report.ts";

const FILE = "../load-test/millrace.yaml";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const plan = values.quick ? QUICK : FULL;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
for (const tool of ["oha", "h2load", "wrk"]) {
  if (isInstalled(tool)) continue;
  throw new Error(
    `There is no ${tool}: apt-get install nghttp2-client wrk; cargo install oha --locked`,
  );
}

const machine = describeMachine();
const scenes: SceneResult[] = [];
for (const scene of plan.scenes) scenes.push({ scene, results: await measure(scene) });
const noise = describeNoise(machine);
const report: LoadTestReport = {
  machine,
  versions: {
    millrace: MILLRACE_VERSION,
    oha: versionOf("oha", "--version"),
    h2load: versionOf("h2load", "--version"),
    wrk: versionOf("wrk", "-v"),
  },
  command: `node --conditions=@millrace/source benchmarks/load-test/run.ts${values.quick ? " --quick" : ""}`,
  rounds: plan.rounds,
  seconds: plan.seconds,
  scenes,
  cautions: [
    ...(noise === undefined ? [] : [noise]),
    ...(canPin ? [] : ["nothing is pinned: that takes two cores and taskset"]),
    ...(values.quick ? ["a quick run tries the harness and is no evidence"] : []),
  ],
};
const text = reportText(report);
process.stdout.write(`${text}\n`);
if (!values.quick) {
  const path = join(ROOT, "benchmarks/results/load-test");
  writeFileSync(`${path}.json`, `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(`${path}.md`, text);
}

/** Every generator in turn, each against a server of its own, as often as the plan has rounds. */
async function measure(scene: Scene): Promise<Record<string, GeneratorResult[]>> {
  const found: Record<string, GeneratorResult[]> = {};
  const { service, rows, requestsPerSecond, connections } = scene;
  const request = predictRequest(service, rows);
  for (let round = 0; round < plan.rounds; round++) {
    for (const name of scene.generators) {
      const scratch = new ScratchFolder();
      const server = await startServer(scene, scratch);
      try {
        const { port } = server;
        const settle = {
          port,
          request,
          requestsPerSecond,
          seconds: plan.warmupSeconds,
          connections,
        };
        await GENERATORS["wrk, closed loop"](settle, scratch); // runtimes that compile are warm then
        const order = { ...settle, seconds: plan.seconds };
        (found[name] ??= []).push(await GENERATORS[name](order, scratch));
      } finally {
        await server.stop();
      }
    }
  }
  return found;
}

async function startServer(
  { service, rows }: Scene,
  scratch: ScratchFolder,
): Promise<{ readonly port: number; stop(): Promise<void> | void }> {
  if (service === "timed") return startRawServer("timed-server.ts");
  const request = predictRequest(service, rows);
  const server = await startBenchServer("serve", FILE, request, scratch);
  return { port: server.httpPort, stop: () => server.stop() };
}

function versionOf(tool: string, flag: string): string {
  try {
    return firstNumber(execFileSync(tool, [flag], { encoding: "utf8", stdio: "pipe" }));
  } catch (error) {
    return firstNumber((error as { readonly stdout?: string }).stdout ?? ""); // wrk -v ends with 1
  }
}

function firstNumber(text: string): string {
  return /\d+(?:\.\d+)+/.exec(text)?.[0] ?? "unknown";
}
