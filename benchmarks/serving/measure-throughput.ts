import type { Percentiles } from "../percentiles.ts";
import { runGrpc } from "./h2load.ts";
import { GENERATOR_CORE } from "./run-process.ts";
import { coreBusySeconds } from "./process-tree.ts";
import { loadFaults, watchServer, type ServerLoad } from "./server-load.ts";
import { rowKey, type RowKey, type Target } from "./target.ts";
import { runWrk, type WrkResult } from "./wrk.ts";

/** One closed-loop run. */
export interface ThroughputRow extends RowKey, ServerLoad {
  readonly connections: number;
  readonly answersPerSecond: number;
  readonly latencyMs: Percentiles;
  readonly failed: number;
  /** Share of its core that the generator used. */
  readonly generatorCpu: number;
  readonly faults: readonly string[];
}

/** Above this share the generator measures itself. */
const GENERATOR_CPU_MAX = 0.9;

/** Every connection sends again as soon as it has its answer. */
export async function measureThroughput(
  target: Target,
  connections: number,
  durationMs: number,
): Promise<ThroughputRow> {
  const { server, request, scratch, peer, workload } = target;
  const plan = { connections, durationMs };
  const isGrpc = peer.grpc === "for conv" && workload.name === "conv";
  const run = (): Promise<WrkResult> =>
    isGrpc
      ? runGrpc(target, { connections, streams: 1, durationMs })
      : runWrk(server.ports.http, request, plan, scratch);
  const startMs = performance.now();
  const busyBefore = coreBusySeconds(GENERATOR_CORE);
  const { result, load } = await watchServer(server, run, ({ answers }) => answers);
  const elapsedS = (performance.now() - startMs) / 1000;
  const generatorCpu = (coreBusySeconds(GENERATOR_CORE) - busyBefore) / elapsedS;
  const { answersPerSecond, latencyMs, failed } = result;
  const faults = [...loadFaults(load)];
  if (failed > 0) faults.push(`${failed} answers were not 200`);
  if (generatorCpu > GENERATOR_CPU_MAX) faults.push("the generator's core was at its limit");
  return {
    ...rowKey(target),
    ...load,
    connections,
    answersPerSecond,
    latencyMs,
    failed,
    generatorCpu,
    faults,
  };
}
