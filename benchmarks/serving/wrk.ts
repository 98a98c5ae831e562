import type { Percentiles } from "../percentiles.ts";
import type { HttpRequest } from "./peers/peer.ts";
import { GENERATOR_CORE, onCore, runProcess } from "./run-process.ts";
import type { ScratchFolder } from "./scratch-folder.ts";

/** What wrk found in a closed loop. */
export interface WrkResult {
  readonly answersPerSecond: number;
  /** Of requests with any status. */
  readonly answers: number;
  readonly latencyMs: Percentiles;
  /** Answers that were not 200, broken connections and timeouts. */
  readonly failed: number;
}

export interface WrkPlan {
  readonly connections: number;
  readonly durationMs: number;
  /** Writes a number into every body; undefined sends the same body without making it anew. */
  readonly counter?: BodyCounter;
}

/** A number of `COUNTER_DIGITS` digits in a body, which a generator counts up. */
export interface BodyCounter {
  /** Where it stands, in bytes. */
  readonly at: number;
  readonly first: number;
  /** 0 sends the same number every time, at the cost of a new one. */
  readonly step: number;
}

export const COUNTER_DIGITS = 7;

/** Sends `request` over `connections` connections, each as soon as it has its answer. */
export async function runWrk(
  port: number,
  request: HttpRequest,
  { connections, durationMs, counter }: WrkPlan,
  scratch: ScratchFolder,
): Promise<WrkResult> {
  const body = scratch.write(request.body);
  const headers = Object.entries(request.headers);
  const script = scratch.write(
    [
      'wrk.method = "POST"',
      `wrk.body = io.open("${body}", "rb"):read("*a")`,
      ...headers.map(([name, value]) => `wrk.headers["${name}"] = "${value}"`),
      ...(counter === undefined ? [] : [counting(counter)]),
      REPORT,
    ].join("\n"),
  );
  const seconds = `${Math.ceil(durationMs / 1000)}s`;
  const words = ["wrk", "-t1", `-c${connections}`, `-d${seconds}`, "--timeout", "10s"];
  const url = `http://127.0.0.1:${port}${request.path}`;
  const command = onCore(GENERATOR_CORE, [...words, "-s", script, url]);
  const output = await runProcess(command, durationMs + 60_000);
  const found = JSON.parse(output.slice(output.lastIndexOf("\n{") + 1)) as {
    readonly answers: number;
    readonly failed: number;
    readonly us: number;
    readonly percentilesUs: readonly number[];
  }; // printed by REPORT
  const [p50 = 0, p95 = 0, p99 = 0, max = 0] = found.percentilesUs.map((us) => us / 1000);
  return {
    answersPerSecond: (found.answers - found.failed) / (found.us / 1e6),
    answers: found.answers,
    latencyMs: { n: found.answers, p50, p95, p99, max },
    failed: found.failed,
  };
}

function counting({ at, first, step }: BodyCounter): string {
  return `
local head, tail = wrk.body:sub(1, ${at}), wrk.body:sub(${at + COUNTER_DIGITS + 1})
local number = ${first}
request = function()
  number = number + ${step}
  return wrk.format(nil, nil, nil, head .. number .. tail)
end
`;
}

const REPORT = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\n{"answers":%d,"failed":%d,"us":%d,"percentilesUs":[%d,%d,%d,%d]}\\n',
    summary.requests, e.status + e.connect + e.read + e.write + e.timeout, summary.duration,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.max))
end
`;
