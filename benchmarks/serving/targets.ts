import { medianOf } from "../percentiles.ts";
import { CLIENT_RULES } from "./measure-overload.ts";
import type { Measurements } from "./measurements.ts";
import { GRPC_IN_FLIGHT, IMAGE_CONNECTIONS } from "./plan.ts";
import {
  addedP99Ms,
  groupBy,
  latencyOf,
  overloadOf,
  ratioToBest,
  runtimeRowsPerSecond,
  throughputOf,
} from "./summary.ts";
import { OVERLOAD_MODELS } from "./workloads.ts";

/** A figure that Millrace sets out to reach. */
export interface Target {
  readonly name: string;
  readonly comparison: "≤" | "≥";
  readonly limit: number;
  readonly unit: string;
  /** As measured. */
  readonly value: number;
  readonly isMet: boolean;
}

/** @returns the targets this run can judge: absolute figures, and ratios within the run. */
export function targetsOf(found: Measurements): Target[] {
  const all = [
    ...throughputTargets(found),
    ...latencyTargets(found),
    ...OVERLOAD_MODELS.flatMap((model) =>
      Object.keys(CLIENT_RULES).map((rule) => goodputTarget(found, model, rule)),
    ),
    ...lifeTargets(found),
  ];
  return all.filter(({ value }) => !Number.isNaN(value));
}

const WIDEST = [
  ["iris", 64],
  ["mlp512", 64],
  ["conv", IMAGE_CONNECTIONS],
] as const;

/** Share of the bare runtime that conv has to reach; the rest is what HTTP may cost. */
const CONV_PERCENT_MIN = 97;

function throughputTargets(found: Measurements): Target[] {
  const ratios = WIDEST.map(([model, connections]) => {
    const rows = throughputOf(found.throughput, model);
    const widest = rows.filter((row) => row.connections === connections);
    const name = `${model} at ${connections} connections, by the best other`;
    return atLeast(name, ratioToBest(widest), 1, "×");
  });
  const conv = throughputOf(found.throughput, "conv").find(({ server }) => server === "millrace");
  const share = (conv?.answersPerSecond ?? NaN) / runtimeRowsPerSecond(found, "conv", 1);
  const grpc = groupBy(found.grpc, (row) => row.server).map((group) => ({
    server: group[0]?.server ?? "",
    answersPerSecond: medianOf(group.map((row) => row.answersPerSecond)),
  }));
  const grpcName = `gRPC with ${GRPC_IN_FLIGHT} in flight, by MLServer's`;
  return [
    ...ratios,
    atLeast("conv, of what the bare runtime does", share * 100, CONV_PERCENT_MIN, "%"),
    atLeast(grpcName, ratioToBest(grpc), 1, "×"),
  ];
}

function latencyTargets(found: Measurements): Target[] {
  const slow = latencyOf(found.latency, "iris").find(
    (row) => row.server === "millrace" && row.requestsPerSecond === 100,
  );
  const added = ["iris", "mlp512", "conv"].map((model) => {
    const name = `${model} at half its capacity, p99 above the bare runtime's`;
    return atMost(name, addedP99Ms(found, model, "millrace"), 1, "ms");
  });
  return [
    atMost("iris at 100 requests/s, p50", slow?.p50Ms ?? NaN, 0.6, "ms"),
    atMost("iris at 100 requests/s, p99", slow?.p99Ms ?? NaN, 2, "ms"),
    ...added,
  ];
}

const IRIS_GOODPUT_PERCENT_MIN: Readonly<Record<string, number>> = {
  "waits 10 ms": 90,
  "waits 100 ms": 80,
  "waits 1 s, then resets": 60,
};

function goodputTarget(found: Measurements, model: string, rule: string): Target {
  const row = overloadOf(found.overload, model).find(
    (one) => one.server === "millrace" && one.rule === rule,
  );
  const limit = row?.isValid === false ? ", generator at its limit" : "";
  const name = `${model}, goodput at twice its capacity, client ${rule}${limit}`;
  // Tiny models spend more on a refusal, by its share of an answer, the longer clients stay in line.
  const least = model === "iris" ? IRIS_GOODPUT_PERCENT_MIN[rule] : 90;
  return atLeast(name, (row?.goodput ?? NaN) * 100, least ?? 90, "%");
}

function lifeTargets(found: Measurements): Target[] {
  const start = found.start.find(({ server }) => server === "millrace");
  const memory = found.memory.filter(({ server }) => server === "millrace");
  const pssMib = medianOf(memory.map((row) => row.pssMib));
  return [
    atMost("start to first answer, median", start?.firstAnswerMs.p50 ?? NaN, 500, "ms"),
    atMost("PSS of all its processes after load", pssMib, 130, "MiB"),
    ...found.reload.map(({ what, failed, count }) =>
      atMost(`failed requests during ${count} ${what}`, failed, 0, "requests"),
    ),
  ];
}

function atMost(name: string, value: number, limit: number, unit: string): Target {
  return { name, comparison: "≤", limit, unit, value, isMet: value <= limit };
}

function atLeast(name: string, value: number, limit: number, unit: string): Target {
  return { name, comparison: "≥", limit, unit, value, isMet: value >= limit };
}
