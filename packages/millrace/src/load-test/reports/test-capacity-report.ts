import type { CapacityReport, KneePoint } from "../../core/load/capacity.ts";
import { testLoadReport } from "./test-load-report.ts";

/** Requests a second that the server of the report could answer at most. */
const SERVED_MAX = 1000;
/** What p99 has to stay below, in ms. */
const P99_LIMIT_MS = 50;

/** A search that found 900/s, of a queue of one server that needs 1 ms a request. The same for the same arguments. */
export function testCapacityReport(facts: Partial<CapacityReport> = {}): CapacityReport {
  const { name, started, protocol, targets, seed, environment } = testLoadReport({
    windows: 1,
  }).millrace;
  return {
    format: 1,
    name,
    started,
    command: "millrace load iris --find-capacity --slo 'p99<50ms,errors<0.1%'",
    protocol,
    targets,
    arrivals: "Poisson",
    seed,
    environment,
    outcome: "found",
    objectives: ["p99<50ms", "errors<0.1%"],
    rate: 900,
    confirmations: 3,
    interval: { low: 900, high: 937.5 },
    precision: 0.05,
    limited_by: "p99<50ms, found 73.7ms at 937.5/s",
    is_generator_bound: false,
    notes: ["Server and generator share a machine: alone, the server may do more."],
    took_ms: 287_000,
    one_client: { rate: 930, p50_ms: 0.9, p99_ms: 4.6 },
    curve: [
      testPoint("baseline", 225),
      testPoint("double", 450),
      testPoint("double", 900),
      testPoint("double", 1800),
      testPoint("cool-down", 225),
      testPoint("bisect", 1350),
      testPoint("bisect", 1125),
      testPoint("bisect", 1012.5),
      testPoint("bisect", 956.25),
      testPoint("bisect", 937.5),
      testPoint("confirm", 900),
      testPoint("confirm", 900),
      testPoint("confirm", 900),
    ],
    littles_law: {
      under_way: 8.91,
      rate_times_latency: 9.02,
      ratio: 0.988,
      tolerance: 0.05,
      holds: true,
    },
    client_p99_ms: 46.1,
    server_p99_ms: 44.8,
    refused: { queue_full: 12_345 },
    limits: { concurrency: 10, rate: 720, autoscale_target: 630 },
    ...facts,
  };
}

/** M/M/1 below what the server can do, a queue that reaches its end above. */
function testPoint(phase: KneePoint["phase"], rate: number): KneePoint {
  const isOver = rate >= SERVED_MAX;
  const meanMs = isOver ? 400 : 1000 / (SERVED_MAX - rate);
  const p99Ms = meanMs * Math.log(100);
  return {
    phase,
    rate,
    goodput: isOver ? SERVED_MAX * 0.985 : rate,
    p50_ms: Number((meanMs * Math.LN2).toFixed(2)),
    p99_ms: Number(p99Ms.toFixed(2)),
    errors: isOver ? 1 - SERVED_MAX / rate : 0,
    met: p99Ms < P99_LIMIT_MS,
    spoiled: false,
  };
}
