import { readFileSync } from "node:fs";
import type { LoadReport } from "../../packages/millrace/src/core/load/load-report.ts";
import { percentilesOf } from "../percentiles.ts";
import type { HttpRequest } from "../serving/peers/peer.ts";
import { GENERATOR_CORE, onCore, runProcess } from "../serving/run-process.ts";
import type { ScratchFolder } from "../serving/scratch-folder.ts";
import { runWrk } from "../serving/wrk.ts";

export interface GeneratorPlan {
  readonly port: number;
  readonly request: HttpRequest;
  readonly requestsPerSecond: number;
  readonly seconds: number;
  readonly connections: number;
}

export interface GeneratorResult {
  /** Answers 200 a second. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were not 200, and requests without one. */
  readonly failed: number;
  /** What only `millrace load` tells. */
  readonly own?: OwnFacts;
}

export interface OwnFacts {
  readonly lagP50Ms: number;
  readonly lagP99Ms: number;
  readonly cpu: number;
  readonly isValid: boolean;
  /** Counted from the send, as the other tools do. */
  readonly serviceP50Ms: number;
  readonly serviceP99Ms: number;
}

export type GeneratorName = keyof typeof GENERATORS;

/** Time beyond the load that a generator may take to end. */
const END_MS_MAX = 120_000;

/** Each with the same bytes, connections and rate, on the generator's core. */
export const GENERATORS = {
  "millrace load": runMillraceLoad,
  "oha -q --latency-correction": (plan: GeneratorPlan, scratch: ScratchFolder) =>
    runOha(plan, scratch, ["--latency-correction"]),
  "oha -q": (plan: GeneratorPlan, scratch: ScratchFolder) => runOha(plan, scratch, []),
  "h2load --h1 --rps": runH2load,
  "wrk, closed loop": runClosed,
} as const;

async function runMillraceLoad(
  plan: GeneratorPlan,
  scratch: ScratchFolder,
): Promise<GeneratorResult> {
  const json = scratch.write("");
  const { port, request, requestsPerSecond, seconds, connections } = plan;
  const cli = ["packages/millrace/bin/millrace", "load"];
  const url = `http://127.0.0.1:${port}${request.path}`;
  const shape = ["--rate", String(requestsPerSecond), "--duration", `${seconds}s`];
  const rest = ["--workers", String(connections), "--timeout", "2m", "--threads", "1"];
  const body = ["--method", "POST", "--body", scratch.write(request.body)];
  const words = [...cli, url, ...shape, ...rest, ...body, ...headerWords(request, "--header")];
  const command = onCore(GENERATOR_CORE, [...words, "--quiet", "--json", json]);
  // A run the generator spoiled ends with 1, and its report says so.
  await runProcess(command, seconds * 1000 + END_MS_MAX).catch(() => undefined);
  const report = JSON.parse(readFileSync(json, "utf8")) as LoadReport; // our own
  const { lag, service, generator, valid } = report.millrace;
  const ok = report.status_codes["200"] ?? 0;
  return {
    perSecond: ok / ((report.duration + report.wait) / 1e9),
    p50Ms: report.latencies["50th"] / 1e6,
    p99Ms: report.latencies["99th"] / 1e6,
    failed: report.requests - ok,
    own: {
      lagP50Ms: lag.p50_ms,
      lagP99Ms: lag.p99_ms,
      cpu: generator.cpu,
      isValid: valid,
      serviceP50Ms: service.p50_ms,
      serviceP99Ms: service.p99_ms,
    },
  };
}

interface OhaReport {
  readonly summary: { readonly requestsPerSec: number };
  readonly latencyPercentiles: Readonly<Record<string, number>>;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  readonly errorDistribution: Readonly<Record<string, number>>;
}

async function runOha(
  plan: GeneratorPlan,
  scratch: ScratchFolder,
  correction: readonly string[],
): Promise<GeneratorResult> {
  const { port, request, requestsPerSecond, seconds, connections } = plan;
  const json = scratch.write("");
  const shape = ["-q", String(requestsPerSecond), "-z", `${seconds}s`, "-c", String(connections)];
  const body = ["-m", "POST", "-D", scratch.write(request.body), ...headerWords(request, "-H")];
  const output = ["--no-tui", "-w", "--output-format", "json", "-o", json];
  const url = `http://127.0.0.1:${port}${request.path}`;
  const words = ["oha", ...shape, ...correction, ...body, ...output, url];
  await runProcess(onCore(GENERATOR_CORE, words), seconds * 1000 + END_MS_MAX);
  const found = JSON.parse(readFileSync(json, "utf8")) as OhaReport; // as oha documents it
  const statuses = Object.entries(found.statusCodeDistribution);
  const errors = Object.values(found.errorDistribution);
  return {
    perSecond: found.summary.requestsPerSec,
    p50Ms: (found.latencyPercentiles["p50"] ?? NaN) * 1000,
    p99Ms: (found.latencyPercentiles["p99"] ?? NaN) * 1000,
    failed: sumOf([...statuses.filter(([code]) => code !== "200").map(([, n]) => n), ...errors]),
  };
}

/** Each of its clients sends at an even share of the rate. */
async function runH2load(plan: GeneratorPlan, scratch: ScratchFolder): Promise<GeneratorResult> {
  const { port, request, requestsPerSecond, seconds, connections } = plan;
  const log = scratch.write("");
  const words = ["h2load", "--h1", "-t1", `-c${connections}`, `-D${seconds}`];
  const pace = [`--rps=${requestsPerSecond / connections}`, `--log-file=${log}`];
  const body = ["-d", scratch.write(request.body), ...headerWords(request, "-H")];
  const url = `http://127.0.0.1:${port}${request.path}`;
  const command = onCore(GENERATOR_CORE, [...words, ...pace, ...body, url]);
  await runProcess(command, seconds * 1000 + END_MS_MAX);
  const lines = readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const rows = lines.map((line) => line.split("\t").map(Number)); // start in µs, status, µs taken
  const taken = percentilesOf(rows.map(([, , tookUs = NaN]) => tookUs / 1000));
  const ok = rows.filter(([, status]) => status === 200).length;
  return {
    perSecond: ok / seconds,
    p50Ms: taken.p50,
    p99Ms: taken.p99,
    failed: rows.length - ok,
  };
}

async function runClosed(plan: GeneratorPlan, scratch: ScratchFolder): Promise<GeneratorResult> {
  const { port, request, seconds, connections } = plan;
  const closed = { connections, durationMs: seconds * 1000 };
  const { answersPerSecond, latencyMs, failed } = await runWrk(port, request, closed, scratch);
  return { perSecond: answersPerSecond, p50Ms: latencyMs.p50, p99Ms: latencyMs.p99, failed };
}

function headerWords({ headers }: HttpRequest, flag: string): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [flag, `${name}: ${value}`]);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** As whoever repeats a run would type it. */
export const COMMANDS: Readonly<Record<GeneratorName, string>> = {
  "millrace load":
    "millrace load URL --rate R --duration 10s --workers C --threads 1 --body body.json",
  "oha -q --latency-correction":
    "oha -q R -z 10s -c C --latency-correction -w --no-tui -m POST -D body.json URL",
  "oha -q": "oha -q R -z 10s -c C -w --no-tui -m POST -D body.json URL",
  "h2load --h1 --rps": "h2load --h1 -t1 -cC -D10 --rps=R/C -d body.json --log-file=log URL",
  "wrk, closed loop": "wrk -t1 -cC -d10s -s post.lua URL",
};
