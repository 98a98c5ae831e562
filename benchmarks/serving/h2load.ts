import { readFileSync } from "node:fs";
import { percentilesOf } from "../percentiles.ts";
import { INFER_PATH, inferMessage, verifyGrpc } from "./grpc-infer.ts";
import { GENERATOR_CORE, onCore, runProcess } from "./run-process.ts";
import type { Target } from "./target.ts";
import type { Case } from "./workloads.ts";
import type { WrkResult } from "./wrk.ts";

export interface GrpcPlan {
  readonly connections: number;
  /** Requests under way on each connection. */
  readonly streams: number;
  readonly durationMs: number;
}

const WARMUP_S = 1;

/** Sends one ModelInfer over and over with h2load: a recorded request, so that the client costs next to nothing. */
export async function runGrpc(target: Target, plan: GrpcPlan): Promise<WrkResult> {
  const { server, workload, scratch } = target;
  const replyBytes = await verifyGrpc(server.ports.grpc, workload);
  const message = scratch.write(inferMessage(workload, workload.cases[0] as Case));
  const log = scratch.write("");
  const seconds = Math.ceil(plan.durationMs / 1000);
  const command = onCore(GENERATOR_CORE, [
    ...["h2load", "-t1", `-c${plan.connections}`, `-m${plan.streams}`, `-D${seconds}`],
    ...[`--warm-up-time=${WARMUP_S}`, "-d", message, `--log-file=${log}`],
    ...["-H", "content-type: application/grpc", "-H", "te: trailers"],
    `http://127.0.0.1:${server.ports.grpc}${INFER_PATH}`,
  ]);
  const output = await runProcess(command, plan.durationMs + 60_000);
  return readH2load(output, readFileSync(log, "utf8"), { seconds, replyBytes });
}

/** @param log a line for each answer: start in µs, status, µs taken. */
export function readH2load(
  output: string,
  log: string,
  { seconds, replyBytes }: { readonly seconds: number; readonly replyBytes: number },
): WrkResult {
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? NaN);
  const failed = number(/(\d+) failed/) + number(/(\d+) errored/);
  const succeeded = number(/(\d+) succeeded/);
  // A call that failed has HTTP status 200 too, and no data.
  const [, amount = "", unit = ""] = /, ([\d.]+)([KMG]?)B \(\d+\) data/.exec(output) ?? [];
  const dataBytes = number(/, [\d.]+[KMG]?B \((\d+)\) data/);
  const withData = Number.isNaN(dataBytes) ? NaN : dataBytes / replyBytes;
  const failedCalls = Math.max(0, Math.round(succeeded - withData));
  if (Number.isNaN(failedCalls)) throw new Error(`Cannot read h2load: ${amount}${unit} ${output}`);
  const takenMs = log
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Number(line.split("\t")[2]) / 1000);
  return {
    answersPerSecond: (succeeded - failedCalls) / seconds,
    answers: succeeded,
    latencyMs: percentilesOf(takenMs),
    failed: failed + failedCalls,
  };
}
