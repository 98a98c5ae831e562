import { runGrpc } from "./h2load.ts";
import type { Percentiles } from "../percentiles.ts";
import { loadFaults, watchServer, type ServerLoad } from "./server-load.ts";
import { rowKey, type RowKey, type Target } from "./target.ts";

/** One closed-loop run over gRPC. */
export interface GrpcRow extends RowKey, ServerLoad {
  readonly inFlight: number;
  readonly answersPerSecond: number;
  readonly latencyMs: Percentiles;
  readonly failed: number;
  readonly faults: readonly string[];
}

/** All calls on one connection, as one channel of a client does it. */
const CONNECTIONS = 1;

export async function measureGrpc(
  target: Target,
  inFlight: number,
  durationMs: number,
): Promise<GrpcRow> {
  const plan = { connections: CONNECTIONS, streams: inFlight / CONNECTIONS, durationMs };
  const run = (): ReturnType<typeof runGrpc> => runGrpc(target, plan);
  const { result, load } = await watchServer(target.server, run, ({ answers }) => answers);
  const { answersPerSecond, latencyMs, failed } = result;
  const faults = [...loadFaults(load)];
  if (failed > 0) faults.push(`${failed} calls failed`);
  return { ...rowKey(target), ...load, inFlight, answersPerSecond, latencyMs, failed, faults };
}
