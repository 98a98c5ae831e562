import { medianOf } from "../percentiles.ts";
import type { HttpRequest } from "../serving/peers/peer.ts";
import type { ScratchFolder } from "../serving/scratch-folder.ts";
import { runWrk, type WrkPlan, type WrkResult } from "../serving/wrk.ts";
import type { Plan } from "./plan.ts";

/** Something that is asked over and over. */
export interface Load {
  readonly name: string;
  readonly request: HttpRequest;
  readonly connections: number;
  /** Differs from run to run where bodies must. */
  readonly counter?: () => NonNullable<WrkPlan["counter"]>;
  /** Sees every run that counts. */
  readonly watch?: (run: () => Promise<WrkResult>) => Promise<WrkResult>;
}

/** Medians of the runs. */
export interface LoadRow {
  readonly name: string;
  readonly connections: number;
  readonly bodyBytes: number;
  /** Answers in all runs. */
  readonly n: number;
  readonly answersPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were not 200, and broken connections; 0, or the costs compare something else. */
  readonly failed: number;
}

/** Runs the loads in turn, each after a run to warm up. */
export async function measureLoads(
  port: number,
  loads: readonly Load[],
  { loadRounds, loadMs, warmUpMs }: Plan,
  scratch: ScratchFolder,
): Promise<LoadRow[]> {
  const run = ({ request, connections, counter }: Load, durationMs: number): Promise<WrkResult> => {
    const found = counter?.();
    const plan = { connections, durationMs, ...(found === undefined ? {} : { counter: found }) };
    return runWrk(port, request, plan, scratch);
  };
  const results = new Map<Load, WrkResult[]>(loads.map((load) => [load, []]));
  for (const load of loads) await run(load, warmUpMs);
  for (let i = 0; i < loadRounds; i++) {
    for (const [load, own] of results) {
      const measure = (): Promise<WrkResult> => run(load, loadMs);
      own.push(await (load.watch?.(measure) ?? measure()));
    }
  }
  return [...results].map(([load, own]) => rowOf(load, own));
}

function rowOf({ name, connections, request }: Load, results: readonly WrkResult[]): LoadRow {
  const median = (pick: (result: WrkResult) => number): number => medianOf(results.map(pick));
  const total = (pick: (result: WrkResult) => number): number =>
    results.reduce((sum, result) => sum + pick(result), 0);
  return {
    name,
    connections,
    bodyBytes: request.body.length,
    n: total(({ answers }) => answers),
    answersPerSecond: median(({ answersPerSecond }) => answersPerSecond),
    p50Ms: median(({ latencyMs }) => latencyMs.p50),
    p99Ms: median(({ latencyMs }) => latencyMs.p99),
    failed: total(({ failed }) => failed),
  };
}
