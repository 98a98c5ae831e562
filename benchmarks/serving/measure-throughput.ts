import { measureLoad, warmUp, type LoadRun } from "./measure-load.ts";
import { isInstalled, runWrk } from "./run-process.ts";
import { ServerProcess } from "./server-process.ts";
import { COMMANDS, type ServerName } from "./servers.ts";
import { BODY, PATH, verifyAnswers } from "./verify-answers.ts";

export interface ThroughputRow {
  readonly server: ServerName;
  readonly connections: number;
  /** Answers a second of every repetition. */
  readonly okPerSecond: readonly number[];
  /** The repetition with the median number of answers. */
  readonly run: LoadRun;
}

/** Requests a second by wrk, in the same minute as ours at the same number of connections. */
export interface WrkRow {
  readonly server: ServerName;
  readonly connections: number;
  readonly okPerSecond: readonly number[];
}

export interface ThroughputPlan {
  readonly connections: readonly number[];
  readonly repetitions: number;
  readonly warmupMs: number;
  readonly durationMs: number;
}

/** Most requests a run may send; no server here comes near it. */
const REQUESTS_MAX = 5_000_000;

/**
 * Closed loop. The servers take turns within every repetition, so that a slow minute of the machine hits both.
 * At the widest load wrk measures the first one too, where it is installed.
 */
export async function measureThroughput(
  names: readonly ServerName[],
  plan: ThroughputPlan,
): Promise<{ rows: ThroughputRow[]; wrk: WrkRow | undefined }> {
  const servers: { name: ServerName; server: ServerProcess }[] = [];
  const rows: ThroughputRow[] = [];
  const wrkOkPerSecond: number[] = [];
  const widest = Math.max(...plan.connections);
  try {
    for (const name of names) {
      const server = await ServerProcess.start(COMMANDS[name]);
      servers.push({ name, server });
      await verifyAnswers(server.port);
      await warmUp(server);
    }
    for (const connections of plan.connections) {
      const runs = new Map<ServerName, LoadRun[]>(names.map((name) => [name, []]));
      for (let i = 0; i < plan.repetitions; i++) {
        for (const { name, server } of servers) {
          const { warmupMs, durationMs } = plan;
          const load = { warmupMs, durationMs, connections, requestsMax: REQUESTS_MAX };
          runs
            .get(name)
            ?.push(await measureLoad(server, { ...load, arrivals: { kind: "closed" } }));
        }
        const [first] = servers;
        if (first !== undefined && connections === widest && isInstalled("wrk")) {
          const target = { port: first.server.port, path: PATH, body: BODY };
          wrkOkPerSecond.push(await runWrk(target, connections, plan.durationMs));
        }
      }
      for (const [server, all] of runs) rows.push(summarize(server, connections, all));
    }
    for (const { server } of servers) await verifyAnswers(server.port);
  } finally {
    for (const { server } of servers) await server.stop();
  }
  const [server] = names;
  const isCompared = server !== undefined && wrkOkPerSecond.length > 0;
  const wrk = isCompared ? { server, connections: widest, okPerSecond: wrkOkPerSecond } : undefined;
  return { rows, wrk };
}

function summarize(
  server: ServerName,
  connections: number,
  runs: readonly LoadRun[],
): ThroughputRow {
  const sorted = runs.toSorted((a, b) => a.okPerSecond - b.okPerSecond);
  const run = sorted[Math.floor(sorted.length / 2)] as LoadRun; // there is at least one repetition
  return { server, connections, okPerSecond: runs.map(({ okPerSecond }) => okPerSecond), run };
}
