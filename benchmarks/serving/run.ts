// The serving benchmark: Millrace and other model servers, same models, same machine, now.
//   npm run bench                                        everything, about 35 minutes; writes benchmarks/results/
//   npm run bench -- --quick                             short runs, to try the harness; prints only
//   npm run bench -- --only iris,mlp512                  some models or questions; prints only
//   npm run bench -- --servers millrace,fastapi,mosec    some servers; prints only
//   npm run bench -- --repetitions 1                     everything once, about 20 minutes; writes benchmarks/results/
//   npm run bench -- --output /tmp/one                   also writes /tmp/one.json, .md and .svg
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine, describeNoise, ROOT } from "../machine.ts";
import { Benchmark, QUESTIONS, type Scope } from "./measure-all.ts";
import type { Measurements } from "./measurements.ts";
import { PEERS } from "./peers/peers.ts";
import { pictureSvg } from "./picture.ts";
import { FULL, QUICK } from "./plan.ts";
import { reportText, type Fault, type ServingReport } from "./report.ts";
import { canPin, isInstalled } from "./run-process.ts";
import { targetsOf } from "./targets.ts";
import { loadWorkload, makeModels, WORKLOAD_NAMES } from "./workloads.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    servers: { type: "string" },
    quick: { type: "boolean", default: false },
    output: { type: "string" },
    repetitions: { type: "string" },
  },
});
if (process.platform !== "linux") throw new Error("The benchmark reads /proc: it needs Linux");
for (const [tool, debianPackage] of [
  ["wrk", "wrk"],
  ["h2load", "nghttp2-client"],
] as const) {
  if (!isInstalled(tool)) {
    throw new Error(
      `${tool} is missing: install it, on Debian \`apt-get install ${debianPackage}\``,
    );
  }
}
// The servers are ended on the way out, whatever ends this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

const report = await run();
const text = reportText(report);
process.stdout.write(`${text}\n`);
const isWhole = values.only === undefined && values.servers === undefined && !values.quick;
const output = values.output ?? (isWhole ? join(ROOT, "benchmarks/results/serving") : undefined);
if (output !== undefined) {
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(`${output}.json`, `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(`${output}.md`, text);
  writeFileSync(`${output}.svg`, pictureSvg(report.found));
}
process.exitCode = report.found.missing.length > 0 ? 1 : 0;

async function run(): Promise<ServingReport> {
  const scope = scopeOf(values.only?.split(","), values.servers?.split(","));
  const given = values.quick ? QUICK : FULL;
  const repetitions = Number(values.repetitions ?? given.repetitions);
  const plan = { ...given, repetitions };
  await makeModels();
  for (const { env } of scope.peers) await env?.install();
  const versions: Record<string, string> = {};
  for (const { env, packages } of scope.peers) {
    Object.assign(versions, await env?.versions(packages));
  }
  const machine = describeMachine(); // after the installations, which are a load of their own
  const found = await new Benchmark(plan, scope).run();
  const noise = describeNoise(machine);
  const faults: Fault[] = noise === undefined ? [] : [{ text: noise }];
  if (!canPin) faults.push({ text: "nothing is pinned: that takes two cores and taskset" });
  return {
    machine,
    command: ["npm run bench --", ...process.argv.slice(2)].join(" ").replace(/ --$/, ""),
    versions,
    commands: commandsOf(scope),
    isPinned: canPin,
    plan,
    found,
    targets: targetsOf(found),
    faults: [...faults, ...faultsOf(found)],
  };
}

/** A model's name after `--only` stands for all questions about it. @throws when a name is unknown. */
function scopeOf(only: readonly string[] = [], servers: readonly string[] = []): Scope {
  const known = [...WORKLOAD_NAMES, ...QUESTIONS] as readonly string[];
  const unknown =
    only.find((name) => !known.includes(name)) ??
    servers.find((name) => PEERS.every((peer) => peer.name !== name));
  if (unknown !== undefined) {
    const all = [...known, ...PEERS.map(({ name }) => name)];
    throw new Error(`"${unknown}" is unknown; there are ${all.join(", ")}`);
  }
  const models = only.filter((name) => WORKLOAD_NAMES.some((model) => model === name));
  const questions = only.filter((name) => QUESTIONS.some((question) => question === name));
  return {
    peers: PEERS.filter(({ name }) => servers.length === 0 || servers.includes(name)),
    models: new Set(models.length === 0 ? WORKLOAD_NAMES : models),
    questions: new Set(questions.length === 0 ? QUESTIONS : questions),
  };
}

function commandsOf({ peers, models }: Scope): Record<string, string> {
  const ports = { http: 1, grpc: 2, metrics: 3 };
  const commands: Record<string, string> = {};
  for (const peer of peers) {
    for (const name of WORKLOAD_NAMES.filter((known) => models.has(known))) {
      const { words, env } = peer.command(loadWorkload(name), ports);
      const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
      const line = [...variables, ...words].join(" ").replaceAll(`${ROOT}/`, "");
      commands[`${peer.name} ${name}`] = line;
    }
  }
  return commands;
}

function faultsOf(found: Measurements): Fault[] {
  const { throughput, latency, half, sustained, overload, grpc, missing } = found;
  const of = (run: string, texts: readonly string[]): Fault[] =>
    texts.map((text) => ({ text, run }));
  return [
    ...missing.map(({ server, model, reason }) => ({
      text: `not measured: ${reason}`,
      run: `${server}, ${model}`,
    })),
    ...throughput.flatMap(({ server, model, connections, faults }) =>
      of(`${server}, ${model}, ${connections} connections`, faults),
    ),
    ...[...latency, ...half, ...sustained].flatMap(({ server, model, requestsPerSecond, faults }) =>
      of(`${server}, ${model}, ${Math.round(requestsPerSecond)} requests/s`, faults),
    ),
    ...overload.flatMap(({ server, rule, faults }) => of(`${server}, ${rule}`, faults)),
    ...grpc.flatMap(({ server, faults }) => of(`${server}, gRPC`, faults)),
  ];
}
