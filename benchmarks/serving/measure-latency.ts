import type { LoadResult } from "./generator/load-plan.ts";
import { runGenerator } from "./run-generator.ts";
import { loadFaults, watchServer, type ServerLoad } from "./server-load.ts";
import { rowKey, type RowKey, type Target } from "./target.ts";

/** One open-loop run at a rate the server is expected to hold. */
export interface LatencyRow extends RowKey, ServerLoad {
  readonly requestsPerSecond: number;
  readonly durationMs: number;
  /** Every request waits for its answer as long as it takes. */
  readonly load: LoadResult;
  readonly faults: readonly string[];
}

/** So many that a stall of a second at the lower rates finds a free one for every request. */
const CONNECTIONS = 256;
const IN_TIME_MS = 100;

export async function measureLatency(
  target: Target,
  requestsPerSecond: number,
  times: { readonly warmupMs: number; readonly durationMs: number },
): Promise<LatencyRow> {
  const { server, request, scratch } = target;
  const plan = {
    ...times,
    requestsPerSecond,
    connectionsAtStart: CONNECTIONS,
    connectionsMax: CONNECTIONS,
    waitMsMax: Infinity,
    answerMsMax: Infinity,
    inTimeMs: IN_TIME_MS,
  };
  const run = (): Promise<LoadResult> => runGenerator(server.ports.http, request, plan, scratch);
  const { result, load } = await watchServer(server, run, ({ answersInAll }) => answersInAll);
  const faults = [...loadFaults(load), ...openLoopFaults(result, requestsPerSecond)];
  const { durationMs } = times;
  return { ...rowKey(target), ...load, requestsPerSecond, durationMs, load: result, faults };
}

function openLoopFaults(result: LoadResult, requestsPerSecond: number): string[] {
  const { refused, failed, unanswered, okPerSecond, latencyMs, lagMs } = result;
  const faults: string[] = [];
  if (refused + failed > 0) faults.push(`${refused + failed} answers were not 200`);
  if (unanswered > 0) faults.push(`${unanswered} requests had no answer`);
  if (okPerSecond < 0.99 * requestsPerSecond) faults.push("the rate was not reached");
  if (lagMs.p99 > 5 || lagMs.p99 > 0.25 * latencyMs.p99) {
    faults.push(`the generator was late itself, by ${lagMs.p99.toFixed(2)} ms at p99`);
  }
  return faults;
}
