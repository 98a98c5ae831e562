// What does a service do with more requests than it can answer, with and without limits?
//   node --conditions=@millrace/source benchmarks/circuit-breaker/run.ts            a minute; writes benchmarks/results/
//   node --conditions=@millrace/source benchmarks/circuit-breaker/run.ts --quick    tries the harness; prints only
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MILLRACE_VERSION } from "../../packages/millrace/src/version.ts";
import { predictRequest, startBenchServer } from "../graphs/bench-server.ts";
import { describeMachine, describeNoise, ROOT } from "../machine.ts";
import { canPin } from "../serving/run-process.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";
import type { Target } from "../serving/targets.ts";
import { measureOverrun, type OverrunRow } from "./measure-overrun.ts";
import { FULL, QUICK, SERVICES } from "./plan.ts";
import { reportPicture, reportText, type CircuitBreakerReport } from "./report.ts";

const FILE = "../circuit-breaker/millrace.yaml";
/** What each service promises: its timeout, and its objective with a quarter for the way there and back. */
const P99_MS_MAX = { defaults: 2_000, objective: 250 };
const RECOVERY_MS_MAX = 2_000;
const LAG_MS_MAX = 20;

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const plan = values.quick ? QUICK : FULL;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

const machine = describeMachine();
const rows = await measureAll();
const noise = describeNoise(machine);
const report: CircuitBreakerReport = {
  machine,
  versions: versionsHere(),
  command: `node --conditions=@millrace/source benchmarks/circuit-breaker/run.ts${values.quick ? " --quick" : ""}`,
  plan,
  targets: targetsOf(rows),
  rows,
  cautions: [
    ...(noise === undefined ? [] : [noise]),
    ...(canPin ? [] : ["nothing is pinned: that takes two cores and taskset"]),
    ...rows.flatMap(lagCaution),
    ...(values.quick ? ["a quick run tries the harness and is no evidence"] : []),
  ],
};
const text = reportText(report);
process.stdout.write(`${text}\n`);
if (!values.quick) {
  const results = join(ROOT, "benchmarks/results");
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, "circuit-breaker.json"), `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(join(results, "circuit-breaker.md"), text);
  writeFileSync(join(results, "circuit-breaker.svg"), reportPicture(report));
}

/** Each service in a server of its own: what one has learned or left behind is nothing to the next. */
async function measureAll(): Promise<OverrunRow[]> {
  const found: OverrunRow[] = [];
  for (const service of SERVICES) {
    const scratch = new ScratchFolder();
    const server = await startBenchServer("serve", FILE, predictRequest(service, [10]), scratch);
    try {
      found.push(await measureOverrun(service, server.httpPort, plan, scratch));
    } finally {
      await server.stop();
    }
  }
  return found;
}

function targetsOf(found: readonly OverrunRow[]): Target[] {
  return found.flatMap(({ service, load, recoveryMs }) => {
    if (service === "unlimited") return [];
    const { ok, refused, due } = load;
    return [
      atMost(`${service}: requests without 200 or 503`, due - ok - refused, 0, ""),
      atMost(`${service}: p99 of answers 200`, load.latencyMs.p99, P99_MS_MAX[service], "ms"),
      atMost(`${service}: recovery after the load`, recoveryMs, RECOVERY_MS_MAX, "ms"),
    ];
  });
}

function atMost(name: string, value: number, limit: number, unit: string): Target {
  return { name, value, limit, unit, comparison: "≤", isMet: value <= limit };
}

function lagCaution({ service, load }: OverrunRow): string[] {
  if (load.lagMs.p99 <= LAG_MS_MAX) return [];
  return [`${service}: the generator was ${load.lagMs.p99.toFixed(0)} ms late at p99`];
}

function versionsHere(): Record<string, string> {
  const file = join(ROOT, "node_modules/onnxruntime-node/package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  return { millrace: MILLRACE_VERSION, "onnxruntime-node": version };
}
