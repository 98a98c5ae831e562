import { availableParallelism } from "node:os";
import { basename } from "node:path";
import type { ArrivalsPlan } from "../core/load/arrivals.ts";
import type { Objective } from "../core/load/objective.ts";
import { capacityObjectives } from "../load-test/capacity-objectives.ts";
import { negotiateProtocol } from "../load-test/clients/negotiate-protocol.ts";
import type { LoadPlan, LoadProtocol, TlsPlan } from "../load-test/load-plan.ts";
import { readArrivals } from "../load-test/read-arrivals.ts";
import { parseObjectives, withErrorLimit } from "../load-test/read-objectives.ts";
import type { CommandIo, CommandLine } from "./command.ts";
import { LoadFailure } from "./load-failure.ts";
import { readTlsPlan } from "./load-material.ts";
import type { LoadOrder } from "./load-order.ts";
import type { TargetOrder } from "./load-target-order.ts";
import type { LoadedService } from "./load-service.ts";
import { makeRequests, type LoadRequests } from "./make-load-requests.ts";
import { replayedRequests } from "./replayed-requests.ts";
import { threadCount } from "./thread-count.ts";

/** What is to be done, and what it is measured by. */
export interface LoadJob {
  readonly plan: LoadPlan;
  readonly objectives: readonly Objective[];
  /** Where requests go to a service of a Millrace. */
  readonly service: LoadedService | undefined;
}

/**
 * Reads the files an order names, and asks the Millrace for its service.
 * @throws UsageError, LoadInputError for what cannot be used; LoadFailure where a server does not answer.
 */
export async function makeLoadJob(
  order: LoadOrder,
  line: CommandLine,
  io: CommandIo,
): Promise<LoadJob> {
  const asked = order.objectives === undefined ? [] : parseObjectives(order.objectives);
  const objectives = asked.length === 0 ? asked : withErrorLimit(asked);
  if (order.capacity !== undefined) capacityObjectives(objectives);
  const isReplay = order.arrivals.arrivals === "replay";
  const typed = isReplay ? undefined : arrivalsOf(order);
  const tls = await readTlsPlan(order.tls);
  const requests =
    typed === undefined
      ? await replayedRequests(order, tls, line, io)
      : { ...(await makeRequests(order, tls, io)), arrivals: typed };
  const { targets, choice, rows, arrivals, service } = requests;
  const plan: LoadPlan = {
    ...order.sending,
    name: order.name ?? nameOf(order.target),
    protocol: await protocolOf(order, requests, tls),
    targets,
    choice,
    rows,
    arrivals,
    // Recorded times have none: it would be before the first of them.
    warmupMs: arrivals.kind === "times" ? 0 : order.sending.warmupMs,
    durationMs: order.durationMs ?? durationOf(arrivals),
    tls,
    threads: order.threads ?? threadCount(arrivals, availableParallelism()),
  };
  return { plan, objectives, service };
}

/** Where nobody said how long, and the arrivals have no end of their own. */
const DURATION_MS = 10_000;

function durationOf(arrivals: ArrivalsPlan): number {
  if (arrivals.kind !== "times") return DURATION_MS;
  return Math.ceil(arrivals.timesMs.at(-1) ?? 0) + 1;
}

/** What the test is called where nobody gave it a name. */
function nameOf(target: TargetOrder): string {
  switch (target.kind) {
    case "service":
      return target.name;
    case "url":
      return new URL(target.url).host;
    case "targets":
      return target.file === undefined ? "stdin" : basename(target.file);
  }
}

/** A search chooses rates by itself; callers do not come in step. */
function arrivalsOf(order: LoadOrder): ArrivalsPlan {
  const { arrivals, durationMs = DURATION_MS, capacity } = order;
  if (capacity === undefined) return readArrivals({ ...arrivals, durationMs });
  return readArrivals({
    ...arrivals,
    durationMs: Infinity,
    arrivals: arrivals.arrivals ?? "poisson",
  });
}

async function protocolOf(
  { protocol, sending: { connect } }: LoadOrder,
  { targets }: LoadRequests,
  tls: TlsPlan,
): Promise<LoadProtocol> {
  if (protocol.kind === "grpc") return "grpc";
  if (protocol.http2 === "in clear") return "http2";
  const secure = targets.find(({ url }) => url.startsWith("https:"));
  if (secure === undefined || protocol.http2 === "never") return "http1";
  try {
    return await negotiateProtocol(secure.url, tls, connect);
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown error";
    throw new LoadFailure(`Cannot reach ${new URL(secure.url).origin}: ${why}`);
  }
}
