import { medianOf } from "../percentiles.ts";
import type { Measurements } from "./measurements.ts";
import { groupBy, latencyOf, overloadOf, throughputOf } from "./summary.ts";
import { OVERLOAD_MODELS } from "./workloads.ts";

/** @returns the medians of a run by a name that says server, model, load and unit. */
export function figuresOf(found: Measurements): ReadonlyMap<string, number> {
  const figures = new Map<string, number>();
  for (const model of ["iris", "mlp512", "conv"]) {
    for (const row of throughputOf(found.throughput, model)) {
      const name = `${row.server}, ${model}, ${row.connections} connections`;
      figures.set(`${name}: answers/s`, row.answersPerSecond);
      figures.set(`${name}: p99 ms`, row.p99Ms);
      figures.set(`${name}: CPU µs/answer`, row.cpuUs);
    }
    for (const row of latencyOf(found.latency, model)) {
      const name = `${row.server}, ${model}, ${row.requestsPerSecond} requests/s`;
      figures.set(`${name}: p50 ms`, row.p50Ms);
      figures.set(`${name}: p99 ms`, row.p99Ms);
    }
    for (const row of latencyOf(found.half, model, false)) {
      figures.set(`${row.server}, ${model}, half of its capacity: p99 ms`, row.p99Ms);
    }
  }
  for (const model of OVERLOAD_MODELS) {
    for (const row of overloadOf(found.overload, model)) {
      const name = `${row.server}, ${model}, twice its capacity, ${row.rule}: goodput`;
      figures.set(name, row.goodput);
    }
  }
  for (const [row, ...more] of groupBy(found.grpc, ({ server }) => server)) {
    if (row === undefined) continue;
    const rates = [row, ...more].map(({ answersPerSecond }) => answersPerSecond);
    figures.set(`${row.server}, gRPC: answers/s`, medianOf(rates));
  }
  for (const { server, firstAnswerMs } of found.start) {
    figures.set(`${server}, start: ms`, firstAnswerMs.p50);
  }
  for (const [row, ...more] of groupBy(found.memory, ({ server }) => server)) {
    if (row === undefined) continue;
    const sizes = [row, ...more].map(({ pssMib }) => pssMib);
    figures.set(`${row.server}, PSS: MiB`, medianOf(sizes));
  }
  return figures;
}
