import { setTimeout as sleep } from "node:timers/promises";
import { predictRequest } from "../graphs/bench-server.ts";
import type { LoadResult } from "../serving/generator/load-plan.ts";
import { post } from "../serving/http-post.ts";
import type { HttpRequest } from "../serving/peers/peer.ts";
import { runGenerator } from "../serving/run-generator.ts";
import type { ScratchFolder } from "../serving/scratch-folder.ts";
import type { Plan, Service } from "./plan.ts";

/** What one service made of more requests than it can answer. */
export interface OverrunRow {
  readonly service: Service;
  readonly load: LoadResult;
  /** From the end of the load until requests were answered as if nothing had been; Infinity when that was not seen. */
  readonly recoveryMs: number;
}

/** What the model computes for; see millrace.yaml. */
const ROUNDS = 1500;
/** A lone request takes some 3 ms; one that waits in what the load left behind takes longer than this. */
const QUICK_MS = 100;
/** So many quick answers in a row, and it has recovered. */
const QUICK_ANSWERS = 10;
const PROBE_EVERY_MS = 5;
const CONNECTIONS_MAX = 10_000;

export async function measureOverrun(
  service: Service,
  httpPort: number,
  plan: Plan,
  scratch: ScratchFolder,
): Promise<OverrunRow> {
  const request = predictRequest(service, [ROUNDS]);
  const { requestsPerSecond, durationMs, graceMs } = plan;
  const loading = runGenerator(
    httpPort,
    request,
    {
      requestsPerSecond,
      warmupMs: 0,
      durationMs,
      graceMs,
      connectionsAtStart: 0,
      connectionsMax: CONNECTIONS_MAX,
      waitMsMax: Infinity,
      answerMsMax: Infinity,
      inTimeMs: QUICK_MS,
    },
    scratch,
  );
  // The generator starts a little later, so the load ends a little later: recovery is rather too long than too short.
  await sleep(durationMs);
  const recoveryMs = await recoveryOf(httpPort, request, graceMs);
  return { service, load: await loading, recoveryMs };
}

async function recoveryOf(port: number, request: HttpRequest, limitMs: number): Promise<number> {
  const startMs = performance.now();
  let quickSinceMs = 0;
  let quickCount = 0;
  while (quickCount < QUICK_ANSWERS) {
    const askedMs = performance.now();
    if (askedMs - startMs > limitMs) return Infinity;
    const status = await post(port, request).then(
      (answer) => answer.status,
      () => 0,
    );
    const isQuick = status === 200 && performance.now() - askedMs <= QUICK_MS;
    if (isQuick && quickCount === 0) quickSinceMs = performance.now();
    quickCount = isQuick ? quickCount + 1 : 0;
    await sleep(PROBE_EVERY_MS);
  }
  return quickSinceMs - startMs;
}
