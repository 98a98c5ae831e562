import { medianOf } from "../percentiles.ts";
import type { LatencyRow } from "./measure-latency.ts";
import type { ClientRule, OverloadRow } from "./measure-overload.ts";
import type { ThroughputRow } from "./measure-throughput.ts";
import type { Measurements } from "./measurements.ts";

/** The repetitions of one thing in one line: medians, and how far apart they were. */
export interface ThroughputSummary {
  readonly server: string;
  readonly connections: number;
  readonly answersPerSecond: number;
  readonly least: number;
  readonly most: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: number;
}

export interface LatencySummary {
  readonly server: string;
  readonly requestsPerSecond: number;
  readonly n: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface OverloadSummary {
  readonly server: string;
  readonly rule: ClientRule;
  readonly capacityPerSecond: number;
  /** Of the repetitions in which the generator was on time, else of all. */
  readonly goodput: number;
  /** Was it on time in any? */
  readonly isValid: boolean;
  /** Of the answers 200. */
  readonly okP50Ms: number;
  readonly refusedShare: number;
  readonly refusedP99Ms: number;
  /** Abandoned by reset, as a share of what was due. */
  readonly resetShare: number;
  readonly recoveryMs: number;
  readonly lagP99Ms: number;
  readonly generatorBusy: number;
}

export function throughputOf(
  rows: readonly ThroughputRow[],
  model: string,
): readonly ThroughputSummary[] {
  const groups = groupBy(
    rows.filter((row) => row.model === model),
    (row) => `${row.server} ${row.connections}`,
  );
  return groups.map((group) => {
    const rates = group.map((row) => row.answersPerSecond);
    const { server, connections } = first(group);
    return {
      server,
      connections,
      answersPerSecond: medianOf(rates),
      least: Math.min(...rates),
      most: Math.max(...rates),
      p50Ms: medianOf(group.map((row) => row.latencyMs.p50)),
      p99Ms: medianOf(group.map((row) => row.latencyMs.p99)),
      cpuUs: medianOf(group.map((row) => row.cpuUs)),
    };
  });
}

/** @param byRate false when each server has a rate of its own. */
export function latencyOf(
  rows: readonly LatencyRow[],
  model: string,
  byRate = true,
): readonly LatencySummary[] {
  const key = (row: LatencyRow): string =>
    byRate ? `${row.server} ${row.requestsPerSecond}` : row.server;
  return groupBy(
    rows.filter((row) => row.model === model),
    key,
  ).map((group) => ({
    server: first(group).server,
    requestsPerSecond: medianOf(group.map((row) => row.requestsPerSecond)),
    n: group.reduce((sum, row) => sum + row.load.latencyMs.n, 0),
    p50Ms: medianOf(group.map((row) => row.load.latencyMs.p50)),
    p95Ms: medianOf(group.map((row) => row.load.latencyMs.p95)),
    p99Ms: medianOf(group.map((row) => row.load.latencyMs.p99)),
  }));
}

export function overloadOf(
  rows: readonly OverloadRow[],
  model: string,
): readonly OverloadSummary[] {
  const ofModel = rows.filter((row) => row.model === model);
  return groupBy(ofModel, (row) => `${row.server} ${row.rule}`).map((group) => {
    const valid = group.filter((row) => row.isValid);
    const judged = valid.length > 0 ? valid : group;
    const { server, rule } = first(group);
    return {
      server,
      rule,
      capacityPerSecond: medianOf(group.map((row) => row.capacityPerSecond)),
      goodput: medianOf(judged.map((row) => row.goodput)),
      isValid: valid.length > 0,
      okP50Ms: medianOf(group.map((row) => row.load.latencyMs.p50)),
      refusedShare: medianOf(group.map((row) => row.load.refused / row.load.due)),
      refusedP99Ms: medianOf(group.map((row) => row.load.refusedMs.p99)),
      resetShare: medianOf(group.map((row) => row.load.abandoned / row.load.due)),
      recoveryMs: Math.max(...group.map((row) => row.recoveryMs)),
      lagP99Ms: Math.max(...group.map((row) => row.load.lagMs.p99)),
      generatorBusy: Math.max(...group.map((row) => row.load.generatorBusy)),
    };
  });
}

/** @returns rows of the bare runtime a second, median of the repetitions; NaN when it was not measured. */
export function runtimeRowsPerSecond(found: Measurements, model: string, batch: number): number {
  const rows = found.runtime.filter((row) => row.model === model && row.batch === batch);
  return medianOf(rows.map((row) => row.rowsPerSecond));
}

/** @returns p99 of one bare run of one row, in ms. */
export function runtimeP99Ms(found: Measurements, model: string): number {
  const rows = found.runtime.filter((row) => row.model === model && row.batch === 1);
  return medianOf(rows.map((row) => row.runMs.p99));
}

/** @returns p99 at half of the capacity less the p99 of the bare runtime. */
export function addedP99Ms(found: Measurements, model: string, server: string): number {
  const row = latencyOf(found.half, model, false).find((one) => one.server === server);
  return (row?.p99Ms ?? NaN) - runtimeP99Ms(found, model);
}

/** @returns Millrace's answers a second by those of the fastest other; NaN without both. */
export function ratioToBest(
  rows: readonly { readonly server: string; readonly answersPerSecond: number }[],
): number {
  const ours = rows.find(({ server }) => server === "millrace")?.answersPerSecond ?? NaN;
  const others = rows.filter(({ server }) => server !== "millrace");
  if (others.length === 0) return NaN;
  return ours / Math.max(...others.map(({ answersPerSecond }) => answersPerSecond));
}

/** Groups in the order in which their first row came. */
export function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): T[][] {
  return [...Map.groupBy(rows, keyOf).values()];
}

function first<T>(rows: readonly T[]): T {
  return rows[0] as T; // a group has at least one row
}
