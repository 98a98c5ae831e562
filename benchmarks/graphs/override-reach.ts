import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { percentilesOf, type Percentiles } from "../percentiles.ts";
import { coreBusySeconds } from "../serving/process-tree.ts";
import { SERVER_CORE } from "../serving/run-process.ts";
import type { ScratchFolder } from "../serving/scratch-folder.ts";
import { runWrk, type WrkResult } from "../serving/wrk.ts";
import { predictRequest, startBenchServer } from "./bench-server.ts";
import type { Plan } from "./plan.ts";
import { connectToEach, type ProcessConnection } from "./process-connections.ts";

/** Live changes under full load. */
export interface OverrideReach {
  readonly processes: number;
  readonly loadConnections: number;
  readonly answersPerSecond: number;
  /** Of the load and of those who look for the change. */
  readonly requests: number;
  /** Not answered, not with 200, or in the old way after the new one. */
  readonly failed: number;
  /** Share of the server's core that was busy during the changes. */
  readonly coreBusy: number;
  /** Did the load last until the last change was seen? */
  readonly isUnderLoad: boolean;
  /** From the start of the PUT until the new way was seen over every connection to every process. */
  readonly reachMs: Percentiles;
  /** Until the PUT was answered. */
  readonly putMs: Percentiles;
}

const PROCESSES = 2; // as override.yaml says
const LOAD_CONNECTIONS = 32;
const CONNECTIONS_EACH = 3;
const CHANGE_EVERY_MS = 500;
const REACH_MS_MAX = 10_000;
const LOAD_STARTS_MS = 1000;
const KEY = "services.flower.parameters.thresholds.setosa";
/** Scores are below 1 and above 0. */
const [ALL, NONE] = [0, 1] as const;
const FLOWER = predictRequest("flower", [[5.1, 3.5, 1.4, 0.2]]);

export async function measureOverrideReach(
  plan: Plan,
  scratch: ScratchFolder,
): Promise<OverrideReach> {
  const server = await startBenchServer("up", "override.yaml", FLOWER, scratch);
  try {
    const warm = { connections: LOAD_CONNECTIONS, durationMs: plan.warmUpMs };
    await runWrk(server.httpPort, FLOWER, warm, scratch);
    const each = { processes: PROCESSES, each: CONNECTIONS_EACH };
    const byPid = await connectToEach(server.httpPort, FLOWER, each);
    const connections = [...byPid.values()].flat();
    const durationMs = 2 * LOAD_STARTS_MS + plan.changes * CHANGE_EVERY_MS;
    let isLoaded = true;
    const load = runWrk(server.httpPort, FLOWER, { ...warm, durationMs }, scratch).finally(() => {
      isLoaded = false;
    });
    const changes = makeChanges(server.controlPort, connections, plan.changes);
    const isUnderLoad = changes.then(() => isLoaded);
    const [result, found, wasLoaded] = await Promise.all([load, changes, isUnderLoad]);
    for (const connection of connections) connection.close();
    return { ...reachOf(result, found), isUnderLoad: wasLoaded };
  } finally {
    await server.stop();
  }
}

interface Changes {
  readonly asked: number;
  readonly failed: number;
  readonly coreBusy: number;
  readonly reachMs: readonly number[];
  readonly putMs: readonly number[];
}

function reachOf(result: WrkResult, found: Changes): Omit<OverrideReach, "isUnderLoad"> {
  return {
    processes: PROCESSES,
    loadConnections: LOAD_CONNECTIONS,
    answersPerSecond: result.answersPerSecond,
    requests: result.answers + found.asked,
    failed: result.failed + found.failed,
    coreBusy: found.coreBusy,
    reachMs: percentilesOf(found.reachMs),
    putMs: percentilesOf(found.putMs),
  };
}

/** One change every half second, each looked for over all connections. */
async function makeChanges(
  controlPort: number,
  connections: readonly ProcessConnection[],
  count: number,
): Promise<Changes> {
  const watchers = connections.map((connection) => new AnswerWatcher(connection));
  const reachMs: number[] = [];
  const putMs: number[] = [];
  await sleep(LOAD_STARTS_MS);
  const [startMs, busyBefore] = [performance.now(), coreBusySeconds(SERVER_CORE)];
  for (let i = 0; i < count; i++) {
    await sleep(Math.max(0, startMs + i * CHANGE_EVERY_MS - performance.now()));
    const threshold = i % 2 === 0 ? NONE : ALL;
    const expected = threshold === ALL ? 1 : 0;
    const sentMs = performance.now();
    const since = (): number => performance.now() - sentMs;
    const answered = put(controlPort, threshold).then(since);
    const seen = watchers.map((watcher) => watcher.untilAnswerIs(expected).then(since));
    const [answeredMs, ...seenMs] = await Promise.all([answered, ...seen]);
    putMs.push(answeredMs);
    reachMs.push(Math.max(...seenMs));
    for (const watcher of watchers) await watcher.mustAnswer(expected);
  }
  const coreBusy =
    (coreBusySeconds(SERVER_CORE) - busyBefore) / ((performance.now() - startMs) / 1000);
  const total = (pick: (watcher: AnswerWatcher) => number): number =>
    watchers.reduce((sum, watcher) => sum + pick(watcher), 0);
  return {
    asked: total((one) => one.asked),
    failed: total((one) => one.failed),
    coreBusy,
    reachMs,
    putMs,
  };
}

/** Looks at the answers over one connection. */
class AnswerWatcher {
  readonly #connection: ProcessConnection;
  asked = 0;
  failed = 0;

  constructor(connection: ProcessConnection) {
    this.#connection = connection;
  }

  /** @throws when it never is. */
  async untilAnswerIs(expected: number): Promise<void> {
    const startMs = performance.now();
    while ((await this.#answer()) !== expected) {
      if (performance.now() - startMs > REACH_MS_MAX) throw new Error("A change never came");
    }
  }

  async mustAnswer(expected: number): Promise<void> {
    if ((await this.#answer()) !== expected) this.failed++;
  }

  /** What it says about setosa: 0 or 1; undefined when it failed. */
  async #answer(): Promise<unknown> {
    this.asked++;
    const { status, body } = await this.#connection.ask(FLOWER);
    if (status !== 200) {
      this.failed++;
      return undefined;
    }
    const reply = JSON.parse(body.toString()) as { readonly setosa?: unknown };
    return reply.setosa;
  }
}

function put(controlPort: number, value: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/api/v1/overrides/${KEY}`;
    const headers = { "content-type": "application/json" };
    const signal = AbortSignal.timeout(REACH_MS_MAX);
    const options = { host: "127.0.0.1", port: controlPort, method: "PUT", path, headers, signal };
    const sent = request(options, (response) => {
      response.resume().once("end", () => {
        const { statusCode } = response;
        if (statusCode === 200) resolve();
        else reject(new Error(`The change was answered with ${statusCode ?? "nothing"}`));
      });
    });
    sent.on("error", reject);
    sent.end(JSON.stringify({ value, reason: "benchmark" }));
  });
}
