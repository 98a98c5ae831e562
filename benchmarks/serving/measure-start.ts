import { percentilesOf, type Percentiles } from "../percentiles.ts";
import type { Peer } from "./peers/peer.ts";
import { ServerProcess } from "./server-process.ts";
import type { Workload } from "./workloads.ts";

/** From `spawn` to the first right status on a prediction, polled every 5 ms. */
export interface StartRow {
  readonly server: string;
  readonly model: string;
  readonly firstAnswerMs: Percentiles;
}

/** Starts a server again and again. The first start fills the caches of disk and compiler and is not counted. */
export async function measureStart(
  peer: Peer,
  workload: Workload,
  count: number,
): Promise<StartRow> {
  const startsMs: number[] = [];
  for (let i = 0; i <= count; i++) {
    const server = await ServerProcess.start(peer, workload);
    await server.stop();
    if (i > 0) startsMs.push(server.startMs);
  }
  return { server: peer.name, model: workload.name, firstAnswerMs: percentilesOf(startsMs) };
}
