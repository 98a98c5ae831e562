import { copyFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../machine.ts";
import { post } from "./http-post.ts";
import { millrace } from "./peers/millrace/millrace.ts";
import type { Peer } from "./peers/peer.ts";
import type { ScratchFolder } from "./scratch-folder.ts";
import { ServerProcess } from "./server-process.ts";
import { SteadyClient, type SteadyResult } from "./steady-client.ts";
import { numbersIn } from "./verify-answers.ts";
import type { Case, Workload } from "./workloads.ts";

/** Does anything fail while Millrace changes a model, or is restarted one instance after the other? */
export interface ReloadRow extends SteadyResult {
  readonly what: "model reloads" | "rolling restarts";
  readonly count: number;
}

/** Two classifiers with the same input and different answers. */
const MODELS = ["examples/models/iris_svc.onnx", "examples/models/iris_rf.onnx"] as const;
/** With an objective so wide that nothing is refused for being late: only the change itself can fail. */
const PATIENT: Peer = {
  ...millrace,
  command(workload, ports) {
    const { words, env } = millrace.command(workload, ports);
    return { words, env: { ...env, BENCH_OBJECTIVE: "10s" } };
  },
};
const RELOAD_MS_MAX = 10_000;
const POLL_MS = 10;

/** Replaces the model's file again and again under load; each time the new answers are waited for. */
export async function measureReloads(
  workload: Workload,
  count: number,
  scratch: ScratchFolder,
): Promise<ReloadRow> {
  const modelFile = scratch.write("");
  const replaceWith = (model: string): void => {
    copyFileSync(join(ROOT, model), `${modelFile}.new`);
    renameSync(`${modelFile}.new`, modelFile);
  };
  replaceWith(MODELS[0]);
  const changed = { ...workload, modelFile };
  const request = millrace.request(changed, workload.cases[0] as Case);
  const server = await ServerProcess.start(PATIENT, changed);
  const client = new SteadyClient(request);
  try {
    const answer = async (): Promise<string> =>
      numbersIn(JSON.parse((await post(server.ports.http, request)).body.toString())).join();
    client.add(server.ports.http);
    client.start();
    for (let i = 1; i <= count; i++) {
      const before = await answer();
      replaceWith(MODELS[i % 2] ?? MODELS[0]);
      const startMs = performance.now();
      while ((await answer()) === before) {
        if (performance.now() - startMs > RELOAD_MS_MAX) throw new Error(`Reload ${i} never came`);
        await sleep(POLL_MS);
      }
    }
    return { what: "model reloads", count, ...(await client.stop()) };
  } finally {
    await client.stop();
    await server.stop();
  }
}

/** Two instances behind a client that asks for readiness; each in turn is ended with SIGTERM and replaced. */
export async function measureRollingRestarts(
  workload: Workload,
  count: number,
): Promise<ReloadRow> {
  const client = new SteadyClient(millrace.request(workload, workload.cases[0] as Case));
  const start = async (): Promise<ServerProcess> => {
    const server = await ServerProcess.start(PATIENT, workload);
    client.add(server.ports.http);
    return server;
  };
  const servers: ServerProcess[] = [];
  try {
    servers.push(await start(), await start());
    client.start();
    for (let i = 0; i < count; i++) {
      const [old] = servers;
      if (old === undefined) break;
      while (!servers.every(({ ports }) => client.isReady(ports.http))) await sleep(POLL_MS);
      old.signal("SIGTERM");
      await old.ended();
      client.remove(old.ports.http);
      servers.shift();
      servers.push(await start());
    }
    return { what: "rolling restarts", count, ...(await client.stop()) };
  } finally {
    await client.stop();
    for (const server of servers) await server.stop();
  }
}
