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

/** Before the run that counts: with a warm-up of its own, h2load counts the bytes of both. */
const WARMUP_S = 1;

/** Sends one ModelInfer over and over with h2load: a recorded request, so that the client costs next to nothing. */
export async function runGrpc(target: Target, plan: GrpcPlan): Promise<WrkResult> {
  const { server, workload, scratch } = target;
  const replyBytes = await verifyGrpc(server.ports.grpc, workload);
  const message = scratch.write(inferMessage(workload, workload.cases[0] as Case));
  const log = scratch.write("");
  const seconds = Math.ceil(plan.durationMs / 1000);
  const run = (forSeconds: number, ...more: readonly string[]): Promise<string> => {
    const words = ["h2load", "-t1", `-c${plan.connections}`, `-m${plan.streams}`];
    const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
    const url = `http://127.0.0.1:${server.ports.grpc}${INFER_PATH}`;
    const rest = [`-D${forSeconds}`, "-d", message, ...more, ...headers, url];
    return runProcess(onCore(GENERATOR_CORE, [...words, ...rest]), forSeconds * 1000 + 60_000);
  };
  await run(WARMUP_S);
  const output = await run(seconds, `--log-file=${log}`);
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
  const dataBytes = number(/\((\d+)\) data/);
  if (Number.isNaN(succeeded + dataBytes)) throw new Error(`Cannot read h2load: ${output}`);
  // A call that failed has HTTP status 200 too, and no data.
  const failedCalls = Math.max(0, succeeded - Math.ceil(dataBytes / replyBytes));
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
