import { coreBusySeconds, cpuSecondsOf, treeOf } from "./process-tree.ts";
import { SERVER_CORE } from "./run-process.ts";
import type { ServerProcess } from "./server-process.ts";

/** What a load cost the server. */
export interface ServerLoad {
  /** CPU time of all its processes by answer, in microseconds. */
  readonly cpuUs: number;
  /** Share of its core that went to anything else; it makes the server look slower than it is. */
  readonly othersOnCore: number;
}

/** Above this share a run is marked. */
const OTHERS_MAX = 0.05;

/** Watches the server's processes and its core while a load is put on it. */
export async function watchServer<T>(
  server: ServerProcess,
  load: () => Promise<T>,
  answersOf: (result: T) => number,
): Promise<{ result: T; load: ServerLoad }> {
  const pids = treeOf(server.pid);
  const startMs = performance.now();
  const cpuBefore = cpuSecondsOf(pids);
  const busyBefore = coreBusySeconds(SERVER_CORE);
  const result = await load();
  const cpuS = cpuSecondsOf(pids) - cpuBefore;
  const busyS = coreBusySeconds(SERVER_CORE) - busyBefore;
  const elapsedS = (performance.now() - startMs) / 1000;
  return {
    result,
    load: {
      cpuUs: (cpuS * 1e6) / Math.max(1, answersOf(result)),
      othersOnCore: Math.max(0, busyS - cpuS) / elapsedS,
    },
  };
}

/** @returns why a run is no evidence about the server; empty when it is. */
export function loadFaults({ othersOnCore }: ServerLoad): string[] {
  if (othersOnCore <= OTHERS_MAX) return [];
  return [`${Math.round(othersOnCore * 100)} % of the server's core went to others`];
}
