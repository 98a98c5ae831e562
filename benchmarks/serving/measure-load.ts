import type { LoadPlan, LoadResult } from "./generator.ts";
import { coreBusySeconds, cpuSecondsOf, treeOf } from "./process-tree.ts";
import { runGenerator, SERVER_CORE } from "./run-process.ts";
import type { ServerProcess } from "./server-process.ts";
import { BODY, PATH } from "./verify-answers.ts";

/** A run of the generator, and what it cost the server. */
export interface LoadRun extends LoadResult {
  /** CPU time of all processes of the server by answer, in microseconds. */
  readonly serverCpuUs: number;
  /** Share of the server's core that went to anything else; it makes the server look slower than it is. */
  readonly othersOnCore: number;
}

export async function measureLoad(
  server: ServerProcess,
  plan: Omit<LoadPlan, "port" | "path" | "body">,
): Promise<LoadRun> {
  const pids = treeOf(server.pid);
  const startMs = performance.now();
  const cpuBefore = cpuSecondsOf(pids);
  const busyBefore = coreBusySeconds(SERVER_CORE);
  const result = await runGenerator({ port: server.port, path: PATH, body: BODY, ...plan });
  const cpuS = cpuSecondsOf(pids) - cpuBefore;
  const busyS = coreBusySeconds(SERVER_CORE) - busyBefore;
  const elapsedS = (performance.now() - startMs) / 1000;
  return {
    ...result,
    serverCpuUs: (cpuS * 1e6) / result.answersInAll,
    othersOnCore: Math.max(0, busyS - cpuS) / elapsedS,
  };
}

/** Requests after which V8 has compiled the request path; before, each one costs twice the CPU time. */
const WARM_REQUESTS = 20_000;

/** Makes a server that has just started one that has run for a while. */
export async function warmUp(server: ServerProcess): Promise<void> {
  await measureLoad(server, {
    connections: 16,
    arrivals: { kind: "closed" },
    warmupMs: 0,
    durationMs: 30_000,
    requestsMax: WARM_REQUESTS,
  });
}

/** @returns why a run is no evidence about the server; empty when it is. */
export function faultsOf(run: LoadRun, requestsPerSecond: number | undefined): string[] {
  const { refused, unanswered, droppedStarts, okPerSecond, latencyMs, lagMs, generatorCpu } = run;
  const faults: string[] = [];
  if (refused > 0) faults.push(`${refused} answers were not 200`);
  if (unanswered > 0) faults.push(`${unanswered} requests had no answer`);
  if (droppedStarts > 0) faults.push(`${droppedStarts} requests were not sent, no connection free`);
  if (run.othersOnCore > 0.05) {
    faults.push(`${Math.round(run.othersOnCore * 100)} % of the server's core went to others`);
  }
  if (requestsPerSecond === undefined) {
    if (generatorCpu > 0.85) faults.push("the generator was at its own limit");
  } else {
    if (okPerSecond < 0.99 * requestsPerSecond) faults.push("the rate was not reached");
    if (lagMs.p99 > 5 || lagMs.p99 > 0.1 * latencyMs.p99) {
      faults.push(`the generator was late itself, by ${lagMs.p99.toFixed(2)} ms at p99`);
    }
  }
  return faults;
}
