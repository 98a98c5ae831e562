import type { LoadPlan, LoadResult } from "./generator/load-plan.ts";
import { runGenerator } from "./run-generator.ts";
import { loadFaults, watchServer, type ServerLoad } from "./server-load.ts";
import { rowKey, settle, type RowKey, type Target } from "./target.ts";

/** What clients do that find every connection busy: the answer depends on it, so three are asked. */
export const CLIENT_RULES = {
  "waits 10 ms": { waitMsMax: 10, answerMsMax: Infinity },
  "waits 100 ms": { waitMsMax: 100, answerMsMax: Infinity },
  "waits 1 s, then resets": { waitMsMax: 1000, answerMsMax: 1000 },
} as const satisfies Record<string, Pick<LoadPlan, "waitMsMax" | "answerMsMax">>;
export type ClientRule = keyof typeof CLIENT_RULES;

/** One run at a multiple of what the server can do. */
export interface OverloadRow extends RowKey, ServerLoad {
  readonly rule: ClientRule;
  /** Answers a second of the closed loop with 64 connections, in the same session. */
  readonly capacityPerSecond: number;
  readonly durationMs: number;
  readonly load: LoadResult;
  /** Answers 200 in time as a share of what the server can do in that time. */
  readonly goodput: number;
  /** From the end of the load to the first quick answer; Infinity is never within `SETTLE_MS_MAX`. */
  readonly recoveryMs: number;
  /** Was the generator on time? Otherwise the rate is not what it says, and goodput a lower bound. */
  readonly isValid: boolean;
  readonly faults: readonly string[];
}

const TIMES_CAPACITY = 2;
const CONNECTIONS_MAX = 4000;
/** From the due time: what comes later is of no use to the caller. */
const IN_TIME_MS = 100;
const SETTLE_MS_MAX = 15_000;
const LAG_MS_MAX = 20;

export async function measureOverload(
  target: Target,
  rule: ClientRule,
  capacityPerSecond: number,
  times: { readonly warmupMs: number; readonly durationMs: number },
): Promise<OverloadRow> {
  const { server, request, scratch } = target;
  const plan = {
    ...times,
    ...CLIENT_RULES[rule],
    requestsPerSecond: TIMES_CAPACITY * capacityPerSecond,
    connectionsAtStart: 0,
    connectionsMax: CONNECTIONS_MAX,
    inTimeMs: IN_TIME_MS,
  };
  const run = (): Promise<LoadResult> => runGenerator(server.ports.http, request, plan, scratch);
  const { result, load } = await watchServer(server, run, ({ answersInAll }) => answersInAll);
  const recoveryMs = await settle(target, SETTLE_MS_MAX);
  const faults = [...loadFaults(load)];
  const isValid = result.lagMs.p99 <= LAG_MS_MAX;
  if (!isValid) {
    const lagMs = result.lagMs.p99.toFixed(0);
    faults.push(`the generator was at its limit, ${lagMs} ms late at p99`);
  }
  const { durationMs } = times;
  return {
    ...rowKey(target),
    ...load,
    rule,
    capacityPerSecond,
    durationMs,
    load: result,
    recoveryMs,
    isValid,
    faults,
    goodput: result.okInTime / (capacityPerSecond * (durationMs / 1000)),
  };
}
