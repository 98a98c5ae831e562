import { setTimeout as sleep } from "node:timers/promises";
import type { HttpRequest, Peer } from "./peers/peer.ts";
import { runWrk } from "./wrk.ts";
import { post } from "./http-post.ts";
import type { ScratchFolder } from "./scratch-folder.ts";
import { ServerProcess } from "./server-process.ts";
import { verifyAnswers } from "./verify-answers.ts";
import type { Case, Workload } from "./workloads.ts";

/** A running server with one model, whose answers are right and whose request path is warm. */
export interface Target {
  readonly peer: Peer;
  readonly workload: Workload;
  readonly server: ServerProcess;
  /** What is sent over and over. */
  readonly request: HttpRequest;
  /** Counts from 0. */
  readonly repetition: number;
  readonly scratch: ScratchFolder;
}

/** What every row of a measurement says first. */
export interface RowKey {
  readonly server: string;
  readonly model: string;
  readonly repetition: number;
}

export function rowKey({ peer, workload, repetition }: Target): RowKey {
  return { server: peer.name, model: workload.name, repetition };
}

/** What is the same for every server of a repetition. */
export interface Visit {
  readonly repetition: number;
  readonly warmupMs: number;
  readonly scratch: ScratchFolder;
}

/** Starts a server, checks its answers, warms it up, measures, and stops it. */
export async function withTarget<T>(
  peer: Peer,
  workload: Workload,
  { repetition, warmupMs, scratch }: Visit,
  measure: (target: Target) => Promise<T>,
): Promise<T> {
  const server = await ServerProcess.start(peer, workload);
  try {
    await verifyAnswers(peer, workload, server.ports.http);
    const request = peer.request(workload, workload.cases[0] as Case);
    // Runtimes that compile need thousands of requests; before, each costs twice the CPU time.
    const warm = { connections: WARM_CONNECTIONS, durationMs: warmupMs };
    await runWrk(server.ports.http, request, warm, scratch);
    return await measure({ peer, workload, server, request, repetition, scratch });
  } finally {
    await server.stop();
  }
}

const WARM_CONNECTIONS = 16;

const SETTLED_MS = 100;
const POLL_MS = 100;

/** Waits until a server answers a single request quickly. @returns how long that took; Infinity when it never did. */
export async function settle({ server, request }: Target, settleMsMax: number): Promise<number> {
  const startMs = performance.now();
  while (performance.now() - startMs < settleMsMax) {
    const sentMs = performance.now();
    const status = await post(server.ports.http, request).then(
      (answer) => answer.status,
      () => 0,
    );
    const endMs = performance.now();
    if (status === 200 && endMs - sentMs <= SETTLED_MS) return endMs - startMs;
    await sleep(POLL_MS);
  }
  return Infinity;
}
