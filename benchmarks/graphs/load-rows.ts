import { medianOf } from "../percentiles.ts";
import type { HttpRequest } from "../serving/peers/peer.ts";
import { coreBusySeconds } from "../serving/process-tree.ts";
import { GENERATOR_CORE } from "../serving/run-process.ts";
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
  readonly watch?: (run: () => Promise<LoadResult>) => Promise<LoadResult>;
}

export interface LoadResult extends WrkResult {
  readonly generatorCpu: number;
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
  /** Share of its core that the load used; near 1 the row measures the load. */
  readonly generatorCpu: number;
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
  const run = async (load: Load, durationMs: number): Promise<LoadResult> => {
    const { request, connections } = load;
    const counter = load.counter?.();
    const plan = { connections, durationMs, ...(counter === undefined ? {} : { counter }) };
    const [startMs, busyBefore] = [performance.now(), coreBusySeconds(GENERATOR_CORE)];
    const result = await runWrk(port, request, plan, scratch);
    const elapsedS = (performance.now() - startMs) / 1000;
    const generatorCpu = (coreBusySeconds(GENERATOR_CORE) - busyBefore) / elapsedS;
    return { ...result, generatorCpu };
  };
  const results = new Map<Load, LoadResult[]>(loads.map((load) => [load, []]));
  for (const load of loads) await run(load, warmUpMs);
  for (let i = 0; i < loadRounds; i++) {
    for (const [load, own] of results) {
      const measure = (): Promise<LoadResult> => run(load, loadMs);
      own.push(await (load.watch?.(measure) ?? measure()));
    }
  }
  return [...results].map(([load, own]) => rowOf(load, own));
}

/** Above this share the load measures itself. */
const GENERATOR_CPU_MAX = 0.9;

/** @returns why rows are to be doubted. */
export function loadFaults(rows: readonly LoadRow[]): string[] {
  const named = (isFaulty: (row: LoadRow) => boolean): string =>
    rows
      .filter(isFaulty)
      .map(({ name, connections }) => `${name} (${connections})`)
      .join("; ");
  const failed = named((row) => row.failed > 0);
  const full = named((row) => row.generatorCpu > GENERATOR_CPU_MAX);
  return [
    ...(failed === "" ? [] : [`requests failed: ${failed}`]),
    ...(full === "" ? [] : [`the load's core was at its limit: ${full}`]),
  ];
}

function rowOf({ name, connections, request }: Load, results: readonly LoadResult[]): LoadRow {
  const median = (pick: (result: LoadResult) => number): number => medianOf(results.map(pick));
  const total = (pick: (result: LoadResult) => number): number =>
    results.reduce((sum, result) => sum + pick(result), 0);
  return {
    name,
    connections,
    bodyBytes: request.body.length,
    n: total(({ answers }) => answers),
    answersPerSecond: median(({ answersPerSecond }) => answersPerSecond),
    p50Ms: median(({ latencyMs }) => latencyMs.p50),
    p99Ms: median(({ latencyMs }) => latencyMs.p99),
    generatorCpu: median(({ generatorCpu }) => generatorCpu),
    failed: total(({ failed }) => failed),
  };
}
