import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeCached } from "../../packages/millrace/src/adapters/cache-redis/encode-cached.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { TestRedis } from "../redis-server.ts";
import { ask, type Answer } from "./http-client.ts";
import { eventually, MillraceProcess } from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { IRIS, IRIS_V2, SETOSA, Workspace } from "./workspace.ts";

const MODEL = `
models:
  iris: { source: ./iris.onnx, sample: [[5.1, 3.5, 1.4, 0.2]], reload: { poll: 100ms } }
`;

const predict = (server: MillraceProcess, data: unknown, service = "cached"): Promise<Answer> =>
  ask(server.url, `/services/${service}/predict`, { body: { data } });

const cacheOf = ({ headers }: Answer): unknown => headers["x-cache"];

/** Rows nobody has asked for yet. */
function rowOf(seed: number): number[][] {
  return [[5.1, 3.5, 1.4, seed / 1000]];
}

async function runsOf(server: MillraceProcess): Promise<number> {
  return (await readMetrics(server.facts.metrics)).sum("inference_batch_rows_count", {});
}

async function resultsOf(server: MillraceProcess, result: string): Promise<number> {
  const labels = { service: "cached", cache: "prediction", result };
  return (await readMetrics(server.facts.metrics)).sum("cache_requests_total", labels);
}

const OTHER: Tensor = { name: "y", datatype: "FP32", shape: [1], data: Float32Array.of(1) };

async function connected({ url }: TestRedis): Promise<AsyncDisposable & { client: Redis }> {
  const client = new Redis(url, { password: "tiger7", lazyConnect: true });
  await client.connect();
  return { client, [Symbol.asyncDispose]: async () => void (await client.quit()) };
}

describe("a prediction cache in memory", () => {
  let folder: Workspace;
  let server: MillraceProcess;
  beforeAll(async () => {
    const file = `${MODEL}
services:
  cached: { graph: iris, default: true, cache: { prediction: { ttl: 1h } } }
  brief: { graph: iris, cache: { prediction: { ttl: 50ms, entriesMax: 2 } } }
  plain: { graph: iris }
`;
    folder = new Workspace({ "millrace.yaml": file, "iris.onnx": IRIS });
    server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
  });
  afterAll(async () => {
    await server.stop();
    folder[Symbol.dispose]();
  });

  it("answers the second call as the first one, without a run of the model", async () => {
    const first = await predict(server, SETOSA);
    const runs = await runsOf(server);
    const second = await predict(server, SETOSA);
    expect([first, second].map(cacheOf)).toEqual(["miss", "hit"]);
    expect(second.json).toEqual(first.json);
    expect(second.headers["x-model"]).toBe(first.headers["x-model"]);
    expect(second.headers["x-prediction-id"]).not.toBe(first.headers["x-prediction-id"]);
    expect(await runsOf(server)).toBe(runs);
  });

  it("says nothing of a cache where a service has none", async () => {
    await predict(server, SETOSA, "plain");
    expect(cacheOf(await predict(server, SETOSA, "plain"))).toBeUndefined();
  });

  it("finds over one protocol what was asked over another, whatever the ids", async () => {
    const [row] = rowOf(1);
    const inputs = [{ name: "float_input", datatype: "FP32", shape: [1, 4], data: row }];
    const infer = (id: string): Promise<Answer> =>
      ask(server.url, "/v2/models/cached/infer", { body: { id, inputs } });
    expect((await infer("a")).status).toBe(200);
    expect(cacheOf(await infer("b"))).toBe("hit");
  });

  it("predicts again when the time of a prediction is over", async () => {
    expect(cacheOf(await predict(server, SETOSA, "brief"))).toBe("miss");
    await sleep(60);
    expect(cacheOf(await predict(server, SETOSA, "brief"))).toBe("miss");
  });

  it("makes the same prediction once for requests that come together", async () => {
    const before = [await resultsOf(server, "hit"), await resultsOf(server, "miss")];
    const answers = await Promise.all(Array.from({ length: 40 }, () => predict(server, rowOf(2))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const after = [await resultsOf(server, "hit"), await resultsOf(server, "miss")];
    expect([after[0]! - before[0]!, after[1]! - before[1]!]).toEqual([39, 1]);
  });

  it("predicts anew with a new version of the model", async () => {
    const row = rowOf(3);
    await predict(server, row);
    expect(cacheOf(await predict(server, row))).toBe("hit");
    folder.put("iris.onnx", IRIS_V2);
    const fresh = await eventually(async () => {
      const answer = await predict(server, row);
      return answer.headers["x-model"] === "iris@2" ? answer : undefined;
    }, "the second version");
    expect(cacheOf(fresh)).toBe("miss");
    expect(cacheOf(await predict(server, row))).toBe("hit");
  });
});

describe("a prediction cache in Redis", () => {
  let folder: Workspace;
  let redis: TestRedis;
  let server: MillraceProcess;
  beforeAll(async () => {
    redis = await TestRedis.start("--requirepass", "tiger7");
    const file = `${MODEL}
services:
  cached: { graph: iris, default: true, cache: { prediction: { ttl: 1h } } }
state: { cache: "redis://:\${CACHE_PASSWORD}@127.0.0.1:${redis.port}" }
`;
    folder = new Workspace({ "millrace.yaml": file, "iris.onnx": IRIS });
    server = await MillraceProcess.start(["serve", "millrace.yaml"], {
      cwd: folder.path,
      env: { CACHE_PASSWORD: "tiger7" },
    });
  });
  afterAll(async () => {
    await server.stop();
    await redis.stop();
    folder[Symbol.dispose]();
  });

  /** Until what was predicted is found: it is stored while the answer is on its way. */
  const untilHit = (row: number[][]): Promise<Answer> =>
    eventually(async () => {
      const answer = await predict(server, row);
      return cacheOf(answer) === "hit" ? answer : undefined;
    }, "a hit");

  it("finds again what was predicted, also by another server on the same model", async () => {
    const row = rowOf(10);
    const first = await predict(server, row);
    const again = await untilHit(row);
    expect(again.json).toEqual(first.json);
    await using other = await MillraceProcess.start(["serve", "millrace.yaml"], {
      cwd: folder.path,
      env: { CACHE_PASSWORD: "tiger7" },
    });
    await eventually(async () => {
      const answer = await predict(other, row);
      return cacheOf(answer) === "hit" ? answer : undefined;
    }, "a hit");
    expect(await runsOf(other)).toBe(0);
  });

  it("does not believe what is stored: another prediction's outputs under this key are left", async () => {
    const row = rowOf(20);
    const first = await predict(server, row);
    await untilHit(row);
    await using direct = await connected(redis);
    for (const key of await direct.client.keys("millrace:1:p:*")) {
      const value = { outputs: [OTHER], storedWallMs: Date.now() };
      const bytes = encodeCached(key.slice("millrace:1:".length), value, 1_000_000) as Buffer;
      await direct.client.set(key, bytes, "PX", 3_600_000);
    }
    const again = await predict(server, row);
    expect([again.status, again.json]).toEqual([200, first.json]);
  });

  it("goes on predicting when Redis is killed under load, and hits again when it is back", async () => {
    const statuses: number[] = [];
    let isRunning = true;
    const load = Promise.all(
      Array.from({ length: 4 }, async (_, client) => {
        for (let i = 0; isRunning; i++) {
          const { status } = await predict(server, rowOf(1000 * (client + 1) + (i % 10)));
          statuses.push(status);
        }
      }),
    );
    await sleep(100);
    await redis.kill();
    const errors = await eventually(async () => {
      const count = await resultsOf(server, "error");
      return count > 20 ? count : undefined;
    }, "requests while Redis is away");
    expect(errors).toBeGreaterThan(20);
    await redis.restart();
    await untilHit(rowOf(1000));
    isRunning = false;
    await load;
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it("never prints the password", () => {
    expect(server.printed).not.toContain("tiger7");
    const messages = server.logLines.map(({ message }) => message);
    expect(messages.filter((message) => message.startsWith("the cache is away"))).toHaveLength(1);
  });
});
