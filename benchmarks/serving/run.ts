// The serving benchmark: start, memory, latency and throughput of `millrace`, on this machine, now.
//   npm run bench                                  everything, about five minutes; writes benchmarks/results/
//   npm run bench -- --only start,memory           some of it; prints only
//   npm run bench -- --quick                       short runs, to try the harness; prints only
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine, describeNoise, ROOT } from "../machine.ts";
import { fastApiVersions, installFastApi } from "./fastapi.ts";
import { faultsOf } from "./measure-load.ts";
import { measureLatency } from "./measure-latency.ts";
import { measureMemory } from "./measure-memory.ts";
import { measureStart } from "./measure-start.ts";
import { measureThroughput } from "./measure-throughput.ts";
import { reportText, targetsOf, type Measurements, type ServingReport } from "./report.ts";
import { canPin } from "./run-process.ts";
import type { ServerName } from "./servers.ts";

const PARTS = ["start", "memory", "latency", "throughput"] as const;

const FULL = {
  starts: 7,
  requests: 20_000,
  rates: [100, 500, 1000],
  latency: { warmupMs: 3_000, durationMs: 20_000 },
  throughput: { connections: [1, 16, 64], repetitions: 3, warmupMs: 1_000, durationMs: 4_000 },
};

const QUICK: typeof FULL = {
  starts: 2,
  requests: 2_000,
  rates: [100, 500, 1000],
  latency: { warmupMs: 500, durationMs: 1_500 },
  throughput: { connections: [1, 16, 64], repetitions: 1, warmupMs: 500, durationMs: 1_000 },
};

const { values } = parseArgs({
  options: { only: { type: "string" }, quick: { type: "boolean", default: false } },
});
const parts = new Set(values.only?.split(",") ?? PARTS);
for (const part of parts) {
  if (!PARTS.some((known) => known === part)) {
    throw new Error(`Unknown part "${part}"; there are ${PARTS.join(", ")}`);
  }
}
if (process.platform !== "linux") throw new Error("The benchmark reads /proc: it needs Linux");
// The servers are ended on the way out, whatever ends this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

const { report, isComplete } = await run(values.quick ? QUICK : FULL);
const text = reportText(report);
process.stdout.write(`${text}\n`);
if (parts.size === PARTS.length && !values.quick) {
  const folder = join(ROOT, "benchmarks/results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "serving.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(join(folder, "serving.md"), text);
}
process.exitCode = isComplete ? 0 : 1;

async function run(plan: typeof FULL): Promise<{ report: ServingReport; isComplete: boolean }> {
  const machine = describeMachine();
  const noise = describeNoise(machine);
  const faults = noise === undefined ? [] : [noise];
  if (!canPin) faults.push("nothing is pinned: that takes two cores and taskset");
  const servers: ServerName[] = ["millrace"];
  let versions: Readonly<Record<string, string>> = {};
  const wantsComparison = parts.has("latency") || parts.has("throughput");
  if (wantsComparison) {
    try {
      await installFastApi();
      versions = await fastApiVersions();
      servers.push("fastapi");
    } catch (error) {
      const reason = (error as Error).message.trim().replaceAll(/\s+/g, " ");
      faults.push(`no comparison, FastAPI cannot be installed: ${reason}`);
    }
  }
  const measured = await measure(plan, servers);
  for (const { server, requestsPerSecond, run: load } of measured.latency ?? []) {
    for (const fault of faultsOf(load, requestsPerSecond)) {
      faults.push(`${server} at ${requestsPerSecond} requests/s: ${fault}`);
    }
  }
  for (const { server, connections, run: load } of measured.throughput ?? []) {
    for (const fault of faultsOf(load, undefined)) {
      faults.push(`${server} at ${connections} connections: ${fault}`);
    }
  }
  const targets = targetsOf(measured);
  return {
    report: { machine, versions, isPinned: canPin, ...measured, targets, faults },
    isComplete: !wantsComparison || servers.length === 2,
  };
}

async function measure(plan: typeof FULL, servers: readonly ServerName[]): Promise<Measurements> {
  const start = await step("start", () => measureStart(plan.starts));
  const memory = await step("memory", () => measureMemory(plan.requests));
  const latency = await step("latency", () => measureLatency(servers, plan.rates, plan.latency));
  const throughput = await step("throughput", () => measureThroughput(servers, plan.throughput));
  return {
    ...(start === undefined ? {} : { start }),
    ...(memory === undefined ? {} : { memory }),
    ...(latency === undefined ? {} : { latency }),
    ...(throughput === undefined ? {} : { throughput: throughput.rows }),
    ...(throughput?.wrk === undefined ? {} : { wrk: throughput.wrk }),
  };
}

/** Measures one part when it was asked for. A wrong answer ends the whole run: its numbers mean nothing. */
async function step<T>(
  part: (typeof PARTS)[number],
  measurePart: () => Promise<T>,
): Promise<T | undefined> {
  if (!parts.has(part)) return undefined;
  process.stderr.write(`Measuring ${part}…\n`);
  return measurePart();
}
